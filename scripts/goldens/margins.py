"""tests/goldens/margins.safetensors: losses of recognition, and what they are computed from.

Names and shapes are in make_goldens.py. The formulas are those of the papers, by angles and by
loops: others may use them for whole heads.
"""
import math

import numpy as np
import torch
from torch.nn import functional as F

from .catalogue import differentiate
from .common import Random, numpy
from .layers import away_from_kink


def cosine_linear(x, w):
    """x (N, in), w (out, in) -> cosines (N, out)."""
    return F.cosine_similarity(x[:, None, :], w[None, :, :], dim=-1)


def of_own_class(cosines, labels, change):
    """The cosines with those of the labels changed."""
    own = F.one_hot(labels, cosines.shape[1]).bool()
    return torch.where(own, change(cosines), cosines)


def cosface(cosines, labels, scale=30.0, margin=0.35, smoothing=0.0):
    """Wang et al. 2018 (arXiv 1801.09414), eq. 4."""
    logits = scale * of_own_class(cosines, labels, lambda c: c - margin)
    return F.cross_entropy(logits, labels, label_smoothing=smoothing)


def arcface(cosines, labels, scale=30.0, margin=0.5, smoothing=0.0):
    """Deng et al. 2019 (arXiv 1801.07698), eq. 3; straight where theta + margin is beyond pi."""
    def harder(c):
        theta = torch.acos(c)
        return torch.where(theta < math.pi - margin, torch.cos(theta + margin),
                           c - margin * math.sin(margin))

    logits = scale * of_own_class(cosines, labels, harder)
    return F.cross_entropy(logits, labels, label_smoothing=smoothing)


def triplets(embeddings, labels):
    """(a, p, n) and if n is semi-hard: Schroff et al. 2015 (arXiv 1503.03832), section 3.2."""
    e, found = embeddings.detach(), []
    for a in range(len(e)):
        for p in range(len(e)):
            if a == p or labels[a] != labels[p]:
                continue
            others = [n for n in range(len(e)) if labels[n] != labels[a]]
            far = {n: float((e[a] - e[n]).pow(2).sum()) for n in others}
            beyond = [n for n in others if far[n] > float((e[a] - e[p]).pow(2).sum())]
            n = min(beyond, key=far.get) if beyond else max(others, key=far.get)
            found.append((a, p, n, bool(beyond)))
    return found


def triplet_terms(embeddings, labels, margin=0.2):
    """What the mean is of, before nothing is left below 0."""
    e = embeddings
    return torch.stack([(e[a] - e[p]).pow(2).sum() - (e[a] - e[n]).pow(2).sum() + margin
                        for a, p, n, _ in triplets(e, labels)])


def triplet_semi_hard(embeddings, labels, margin=0.2):
    return triplet_terms(embeddings, labels, margin).clamp(min=0).mean()


def loss(out, name, x, labels, function, **settings):
    x = x.clone().requires_grad_()
    value = function(x, labels, **settings)
    out.update({f"{name}.x": numpy(x), f"{name}.labels": labels.numpy().astype("float32"),
                f"{name}.loss": numpy(value),
                f"{name}.dx": numpy(torch.autograd.grad(value, x)[0])})


def directions(out, rng):
    differentiate(out, "l2_normalize", {"x": rng.normal(3, 2, 5)},
                  lambda x: F.normalize(x, dim=-1), rng.normal(3, 2, 5))
    x = rng.normal(4, 3)
    x[1] = 0
    differentiate(out, "l2_normalize_zeros", {"x": x}, lambda x: F.normalize(x, dim=-1),
                  rng.normal(4, 3))
    x = rng.normal(5, 3)
    x[1::2] *= 0.1  # shorter than eps
    assert 0 < (x.norm(dim=1) < 0.5).sum() < 5
    differentiate(out, "l2_normalize_eps", {"x": x}, lambda x: F.normalize(x, dim=-1, eps=0.5),
                  rng.normal(5, 3))
    differentiate(out, "cosine_linear", {"x": rng.normal(4, 6), "w": rng.normal(5, 6, std=0.4)},
                  cosine_linear, rng.normal(4, 5))


def margins(out, rng):
    labels = torch.tensor([2, 0, 4, 1, 2, 3])
    rows = torch.arange(6)

    def cosines(low=-0.9, high=0.9):
        c = rng.uniform(6, 5, low=-0.9, high=0.9)
        c[rows, labels] = rng.uniform(6, low=low, high=high)
        return c

    loss(out, "cosface", cosines(), labels, cosface)
    loss(out, "cosface_smooth", cosines(), labels, cosface, scale=12.0, margin=0.2, smoothing=0.1)
    loss(out, "cosface_plain", cosines(), labels, cosface, scale=5.0, margin=0.0)
    for name, own, settings in (
            ("arcface", (-0.8, 0.9), {}),
            ("arcface_smooth", (-0.8, 0.9), dict(scale=12.0, margin=0.3, smoothing=0.1)),
            ("arcface_beyond", (-0.95, -0.9), {}),
            ("arcface_wide", (-0.9, 0.9), dict(scale=8.0, margin=1.2)),
            ("arcface_plain", (-0.9, 0.9), dict(scale=5.0, margin=0.0))):
        c, margin = cosines(*own), settings.get("margin", 0.5)
        beyond = c[rows, labels] + math.cos(margin)
        away_from_kink(beyond.numpy())
        expected = {"arcface_beyond": 6, "arcface_wide": None}.get(name, 0)
        assert expected in (None, int((beyond < 0).sum()))
        assert name != "arcface_wide" or 0 < (beyond < 0).sum() < 6
        loss(out, name, c, labels, arcface, **settings)


def embeddings(out, rng):
    for name, people, unit, margin in (("triplet", [0, 1, 2, 0, 3, 1, 2, 0, 1, 3], True, 0.2),
                                       ("triplet_far", [7, -1, 7, 7, 5, -1, 3, 7], False, 1.5)):
        labels = torch.tensor(people)
        x = rng.normal(len(people), 4, std=1.0 if unit else 0.8)
        x = F.normalize(x, dim=1) if unit else x
        # What f32 rounds must choose the same: no two distances of an anchor are near each other.
        distances = torch.cdist(x, x).pow(2)
        for row in distances.sort(dim=1).values:
            away_from_kink(np.diff(row.numpy()), 1e-4)
        terms = triplet_terms(x, labels, margin)
        away_from_kink(terms.numpy())
        semi_hard = np.array([chosen[3] for chosen in triplets(x, labels)])
        assert 0 < semi_hard.sum() < len(semi_hard) and 0 < (terms < 0).sum() < len(terms)
        assert (terms.numpy()[semi_hard] > 0).any()
        loss(out, name, x, labels, triplet_semi_hard, margin=margin)


def make():
    out = {}
    for seed, section in enumerate((directions, margins, embeddings)):
        section(out, Random(508 + seed))  # a seed each: one section may change alone
    return out, {"about": "names and shapes: scripts/make_goldens.py"}
