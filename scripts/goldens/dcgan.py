"""tests/goldens/dcgan_steps.safetensors: ten training steps of a small DCGAN.

Names, shapes and the order of a step are in make_goldens.py.
"""
from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F

from .common import Random, nhwc, numpy

LR, BETAS, EPS, STEPS = 2e-3, (0.5, 0.999), 1e-8, 10
IMAGE, BASE, Z, BATCH = 16, 8, 16, 4


def networks():
    g = nn.Sequential(OrderedDict(
        conv1=nn.ConvTranspose2d(Z, 2 * BASE, 4, 1, 0, bias=False), bn1=nn.BatchNorm2d(2 * BASE),
        relu1=nn.ReLU(),
        conv2=nn.ConvTranspose2d(2 * BASE, BASE, 4, 2, 1, bias=False), bn2=nn.BatchNorm2d(BASE),
        relu2=nn.ReLU(),
        conv3=nn.ConvTranspose2d(BASE, 3, 4, 2, 1, bias=False), tanh=nn.Tanh()))
    d = nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(3, BASE, 4, 2, 1, bias=False), lrelu1=nn.LeakyReLU(0.2),
        conv2=nn.Conv2d(BASE, 2 * BASE, 4, 2, 1, bias=False), bn2=nn.BatchNorm2d(2 * BASE),
        lrelu2=nn.LeakyReLU(0.2),
        conv3=nn.Conv2d(2 * BASE, 1, 4, 1, 0, bias=False), flatten=nn.Flatten(0)))
    return g.double(), d.double()


def initialise(net, rng):
    """Values that f32 holds exactly, so that an f32 and an f64 run start from the same point."""
    with torch.no_grad():
        for name, p in net.named_parameters():
            if p.dim() == 4:
                p.copy_(rng.normal(*p.shape, std=0.05))
            elif name.endswith("weight"):
                p.copy_(rng.normal(*p.shape, mean=1.0, std=0.02))
            else:
                p.zero_()
            p.copy_(p.float())


def snapshot(out, prefix, nets):
    for key, net in nets.items():
        for name, t in net.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                out[f"{prefix}{key}.{name}"] = numpy(nhwc(t))


def make(dtype=torch.float64):
    """With dtype float32: what an f32 run looks like, to set the tolerance of f32 tests."""
    out, rng = {}, Random(7)
    g, d = networks()
    initialise(g, rng)
    initialise(d, rng)
    nets = {"g": g.to(dtype), "d": d.to(dtype)}
    snapshot(out, "init.", nets)
    out = {name: t.astype("float32") for name, t in out.items()}
    real = rng.uniform(STEPS, BATCH, 3, IMAGE, IMAGE).float()
    z = rng.normal(STEPS, BATCH, Z).float()
    out["real"], out["z"] = numpy(real.permute(0, 1, 3, 4, 2)), numpy(z)
    opt_g = torch.optim.Adam(g.parameters(), lr=LR, betas=BETAS, eps=EPS)
    opt_d = torch.optim.Adam(d.parameters(), lr=LR, betas=BETAS, eps=EPS)
    bce = F.binary_cross_entropy_with_logits

    for i in range(STEPS):
        step = f"step{i + 1:02}."

        def record(**values):
            out.update({step + name: numpy(nhwc(t)) for name, t in values.items()})

        fake = g(z[i].to(dtype).reshape(BATCH, Z, 1, 1))
        opt_d.zero_grad()
        logits_real, logits_fake = d(real[i].to(dtype)), d(fake.detach())
        loss_real = bce(logits_real, torch.ones_like(logits_real))
        loss_fake = bce(logits_fake, torch.zeros_like(logits_fake))
        loss_d = loss_real + loss_fake
        loss_d.backward()
        record(logits_real=logits_real, logits_fake=logits_fake, loss_d_real=loss_real,
               loss_d_fake=loss_fake, loss_d=loss_d)
        if i == 0:
            record(fake=fake, **{f"grad.d.{n}": p.grad for n, p in d.named_parameters()})
        opt_d.step()

        opt_g.zero_grad()
        d.requires_grad_(False)
        logits_g = d(fake)
        d.requires_grad_(True)
        loss_g = bce(logits_g, torch.ones_like(logits_g))
        loss_g.backward()
        record(logits_g=logits_g, loss_g=loss_g)
        if i == 0:
            record(loss_g_minimax=torch.log(1 - torch.sigmoid(logits_g)).mean(),
                   **{f"grad.g.{n}": p.grad for n, p in g.named_parameters()})
        opt_g.step()
        snapshot(out, step, nets)

    settings = dict(lr=LR, beta1=BETAS[0], beta2=BETAS[1], eps=EPS, steps=STEPS, image=IMAGE,
                    base=BASE, z=Z, batch=BATCH, bn_eps=1e-5, bn_momentum=0.1, lrelu_slope=0.2)
    return out, {key: repr(value) for key, value in settings.items()}
