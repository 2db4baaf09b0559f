"""tests/goldens/vae_steps.safetensors: ten training steps of three small VAEs.

Names, shapes and the order of a step are in make_goldens.py.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F

from .common import Random, nhwc, numpy

LR, BETAS, EPS, STEPS = 2e-3, (0.9, 0.999), 1e-8, 10
IMAGE, BASE, LATENT, BATCH, SLOPE = 16, 2, 3, 2, 0.2
STORED = (1, 4, 7, 10)  # steps after which all parameters are in the file

# Of each run: the likelihood, what sigma starts with, beta, warm-up in steps, free bits in nats.
RUNS = {"gaussian": ("gaussian", 0.5, 1.0, 4, 0.0),
        "learned": ("gaussian-learned", 0.7, 2.0, 6, 0.3),
        "bernoulli": ("bernoulli", None, 0.5, 3, 0.4)}


class Vae(nn.Module):
    def __init__(self, likelihood, sigma):
        super().__init__()
        self.likelihood = likelihood
        wide = 2 * BASE
        self.conv1, self.conv2 = nn.Conv2d(3, BASE, 4, 2, 1), nn.Conv2d(BASE, wide, 4, 2, 1)
        self.mu, self.log_variance = (nn.Linear(16 * wide, LATENT) for _ in range(2))
        self.dense = nn.Linear(LATENT, 16 * wide)
        self.up1 = nn.ConvTranspose2d(wide, BASE, 4, 2, 1)
        self.up2 = nn.ConvTranspose2d(BASE, 3, 4, 2, 1)
        if sigma is not None:
            log_sigma = torch.tensor(math.log(sigma)).double()
            if likelihood == "gaussian-learned":
                self.log_sigma = nn.Parameter(log_sigma)
            else:
                self.register_buffer("log_sigma", log_sigma)

    def encode(self, x):
        h = F.leaky_relu(self.conv2(F.leaky_relu(self.conv1(x), SLOPE)), SLOPE)
        h = h.permute(0, 2, 3, 1).flatten(1)  # our order of the values
        return self.mu(h), self.log_variance(h)

    def decode(self, z):
        h = F.leaky_relu(self.dense(z), SLOPE).reshape(len(z), 4, 4, 2 * BASE).permute(0, 3, 1, 2)
        y = self.up2(F.leaky_relu(self.up1(h), SLOPE))
        return y if self.likelihood == "bernoulli" else torch.tanh(y)

    def reconstruction(self, x, y):
        """-log p(x|z), nats of an image, averaged over the batch."""
        if self.likelihood == "bernoulli":
            pixels = F.binary_cross_entropy_with_logits(y, (x + 1) / 2, reduction="none")
        else:
            pixels = -torch.distributions.Normal(y, self.log_sigma.exp()).log_prob(x)
        return pixels.flatten(1).sum(1).mean()


def initialise(net, rng):
    """Values that f32 holds exactly, so that an f32 and an f64 run start from the same point."""
    with torch.no_grad():
        for name, p in net.named_parameters():
            if p.dim() > 1:
                p.copy_(rng.normal(*p.shape, std=0.3).float())
            elif p.dim() == 1:
                p.copy_(rng.normal(*p.shape, std=0.05).float())
        for t in net.state_dict().values():
            t.copy_(t.float())


def snapshot(out, prefix, net):
    for name, t in net.state_dict().items():
        out[f"{prefix}.{name}"] = numpy(nhwc(t))


def make(dtype=torch.float64):
    """With dtype float32: what an f32 run looks like, to set the tolerance of f32 tests."""
    out, rng = {}, Random(11)
    images = rng.uniform(STEPS, BATCH, 3, IMAGE, IMAGE).float()
    noise = rng.normal(STEPS, BATCH, LATENT).float()
    for run, (likelihood, sigma, beta, warmup, free_bits) in RUNS.items():
        net = Vae(likelihood, sigma).double()
        initialise(net, rng)
        net = net.to(dtype)
        first = {}
        snapshot(first, f"{run}.init", net)
        out.update({name: t.astype("float32") for name, t in first.items()})
        adam = torch.optim.Adam(net.parameters(), lr=LR, betas=BETAS, eps=EPS)
        held = 0  # latents that free bits kept from being pushed
        for i in range(STEPS):
            x, eps = images[i].to(dtype), noise[i].to(dtype)
            mu, log_variance = net.encode(x)
            q = torch.distributions.Normal(mu, (log_variance / 2).exp())
            reconstruction = net.reconstruction(x, net.decode(mu + q.scale * eps))
            prior = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
            kl = torch.distributions.kl_divergence(q, prior)
            paid = kl.mean(0).clamp(min=free_bits) if free_bits else kl.mean(0)
            held += int((kl.mean(0) < free_bits).sum())
            weight = beta * min(1.0, (i + 1) / warmup)
            loss = reconstruction + weight * paid.sum()
            adam.zero_grad()
            loss.backward()
            adam.step()
            step = f"{run}.step{i + 1:02}"
            out.update({f"{step}.loss": numpy(loss),
                        f"{step}.reconstruction": numpy(reconstruction),
                        f"{step}.kl": numpy(kl.sum(1).mean())})
            if i + 1 in STORED:
                snapshot(out, step, net)
        if free_bits and not 0 < held < STEPS * LATENT:
            raise ValueError(f"{run}: free bits hold {held} of {STEPS * LATENT}: nothing is tested")
    out["images"], out["noise"] = numpy(images.permute(0, 1, 3, 4, 2)), numpy(noise)
    settings = dict(lr=LR, beta1=BETAS[0], beta2=BETAS[1], eps=EPS, steps=STEPS, image=IMAGE,
                    base=BASE, latent=LATENT, batch=BATCH, slope=SLOPE)
    return out, {key: repr(value) for key, value in settings.items()}
