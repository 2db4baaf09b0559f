"""tests/goldens/gan.safetensors: the losses of GANs, penalties on D's gradient, DiffAugment.

Names and shapes are in make_goldens.py.
"""
import numpy as np
import torch
from torch.nn import functional as F

from .common import Random, nchw, nhwc, numpy
from .layers import away_from_kink


def losses(out, rng):
    """Every loss of the same scores, with its gradients with respect to those it looks at."""
    scores = {"real": rng.normal(7, std=2.0), "fake": rng.normal(5, std=2.0)}
    away_from_kink(torch.cat([scores["real"] - 1, scores["fake"] + 1]).numpy())
    scores = {key: t.requires_grad_() for key, t in scores.items()}
    out.update({f"scores.{key}": numpy(t) for key, t in scores.items()})

    def bce(x, target):
        return F.binary_cross_entropy_with_logits(x, torch.full_like(x, target))

    def mse(x, target):
        return F.mse_loss(x, torch.full_like(x, target))

    def store(name, loss):
        out[f"{name}.loss"] = numpy(loss)
        grads = torch.autograd.grad(loss, list(scores.values()), allow_unused=True)
        out.update({f"{name}.d{key}": numpy(g) for key, g in zip(scores, grads) if g is not None})

    real, fake = scores["real"], scores["fake"]
    store("gan_d", bce(real, 1.0) + bce(fake, 0.0))
    store("gan_d_smooth", bce(real, 0.9) + bce(fake, 0.0))
    store("gan_g", bce(fake, 1.0))
    store("gan_g_minimax", F.logsigmoid(-fake).mean())
    store("hinge_d", F.relu(1 - real).mean() + F.relu(1 + fake).mean())
    store("hinge_g", -fake.mean())
    store("lsgan_d", 0.5 * mse(real, 1.0) + 0.5 * mse(fake, 0.0))
    store("lsgan_d_smooth", 0.5 * mse(real, 0.9) + 0.5 * mse(fake, 0.0))
    store("lsgan_g", 0.5 * mse(fake, 1.0))
    store("wasserstein_d", fake.mean() - real.mean())
    store("wasserstein_g", -fake.mean())


def penalties(out, rng):
    """A discriminator of two convolutions, and what the penalties ask of its weights."""
    weights = {"w1": rng.normal(4, 4, 4, 3, std=0.3), "b1": rng.normal(4, std=0.3),
               "w2": rng.normal(5, 3, 3, 4, std=0.3), "b2": rng.normal(5, std=0.3),
               "w3": rng.normal(1, 20, std=0.5), "b3": rng.normal(1)}
    weights = {key: t.requires_grad_() for key, t in weights.items()}
    real, fake = rng.normal(3, 8, 8, 3), rng.normal(3, 8, 8, 3)
    mix = rng.uniform(3, low=0.0, high=1.0)
    out.update({f"penalty.{key}": numpy(t) for key, t in weights.items()})
    out.update({"penalty.real": numpy(real), "penalty.fake": numpy(fake),
                "penalty.mix": numpy(mix)})

    def scores(x):
        h = F.conv2d(nchw(x), nchw(weights["w1"]), weights["b1"], 2, 1)
        h = torch.tanh(h)  # so that the first bias has a second derivative too
        h = F.conv2d(h, nchw(weights["w2"]), weights["b2"], 2, 1)
        away_from_kink(h.detach().numpy())
        h = F.leaky_relu(h, 0.2)
        return F.linear(nhwc(h).flatten(1), weights["w3"], weights["b3"])

    def norms(x):
        x = x.clone().requires_grad_()
        g, = torch.autograd.grad(scores(x).sum(), x, create_graph=True)
        return g.flatten(1).norm(dim=1)

    def store(name, penalty):
        out[f"penalty.{name}"] = numpy(penalty)
        grads = torch.autograd.grad(penalty, list(weights.values()), allow_unused=True)
        for key, grad in zip(weights, grads):
            if grad is not None and grad.abs().max() > 0:
                out[f"penalty.{name}_d{key}"] = numpy(grad)

    at = mix.view(-1, 1, 1, 1)
    between = at * real + (1 - at) * fake
    store("gp", (norms(between) - 1).pow(2).mean())
    store("gp_target", (norms(between) - 0.25).pow(2).mean())
    store("r1", norms(real).pow(2).mean())


def diff_augment(out, rng):
    """The three kinds by what the paper says of them, step by step and image by image."""
    x, dy = rng.normal(3, 8, 9, 3, std=0.6), rng.normal(3, 8, 9, 3)
    draws = {"brightness": rng.uniform(3, low=-0.5, high=0.5),
             "saturation": rng.uniform(3, low=0.0, high=2.0),
             "contrast": rng.uniform(3, low=0.5, high=1.5),
             "shift_down": torch.tensor([1.0, -1.0, 3.0]),
             "shift_right": torch.tensor([0.0, 1.0, -2.0]),
             "cut_top": torch.tensor([-2.0, 3.0, 6.0]),
             "cut_left": torch.tensor([2.0, -2.0, 6.0])}
    out.update({"augment.x": numpy(x), "augment.dy": numpy(dy)})
    out.update({f"augment.{key}": t.numpy().astype("float64") for key, t in draws.items()})

    def colour(x):
        x = x + draws["brightness"].view(-1, 1, 1, 1)
        mean = x.mean(3, keepdim=True)
        x = mean + (x - mean) * draws["saturation"].view(-1, 1, 1, 1)
        mean = x.mean((1, 2, 3), keepdim=True)
        return mean + (x - mean) * draws["contrast"].view(-1, 1, 1, 1)

    def translation(x):
        height, width, moved = x.shape[1], x.shape[2], []
        for n in range(len(x)):
            down, right = int(draws["shift_down"][n]), int(draws["shift_right"][n])
            padded = F.pad(x[n], (0, 0, width, width, height, height))
            moved.append(padded[height - down:2 * height - down, width - right:2 * width - right])
        return torch.stack(moved)

    def cutout(x):
        height, width = x.shape[1], x.shape[2]
        keep = torch.ones_like(x)
        for n in range(len(x)):
            top, left = int(draws["cut_top"][n]), int(draws["cut_left"][n])
            rows = slice(max(top, 0), min(top + (height + 1) // 2, height))
            keep[n, rows, max(left, 0):min(left + (width + 1) // 2, width)] = 0
        return x * keep

    kinds = {"colour": (colour,), "translation": (translation,), "cutout": (cutout,),
             "all": (colour, translation, cutout)}
    for name, steps in kinds.items():
        leaf = x.clone().requires_grad_()
        y = leaf
        for step in steps:
            y = step(y)
        out[f"augment.{name}_y"] = numpy(y)
        out[f"augment.{name}_dx"] = numpy(torch.autograd.grad(y, leaf, dy)[0])


def make():
    out = {}
    for seed, section in enumerate((losses, penalties, diff_augment)):
        section(out, Random(300 + seed))
    return {key: np.asarray(t, np.float64) for key, t in out.items()}, {
        "about": "names and shapes: scripts/make_goldens.py"}
