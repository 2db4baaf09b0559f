"""tests/goldens/optimisers.safetensors: optimisers, schedules, clipping, spectral normalisation.

Names and shapes are in make_goldens.py.
"""
import numpy as np
import torch
from torch import nn
from torch.optim import lr_scheduler

from .common import Random, nchw, nhwc, numpy

VARIANTS = {
    "sgd": (torch.optim.SGD, dict(lr=0.1)),
    "sgd_decay": (torch.optim.SGD, dict(lr=0.1, weight_decay=0.2)),
    "sgd_momentum": (torch.optim.SGD, dict(lr=0.05, momentum=0.9, weight_decay=0.1)),
    "sgd_dampening": (torch.optim.SGD, dict(lr=0.05, momentum=0.8, dampening=0.3)),
    "sgd_nesterov": (torch.optim.SGD, dict(lr=0.05, momentum=0.9, nesterov=True,
                                           weight_decay=0.1)),
    "adam": (torch.optim.Adam, dict(lr=0.01, betas=(0.5, 0.99), eps=1e-6, weight_decay=0.1)),
    "adamw": (torch.optim.AdamW, dict(lr=0.01, betas=(0.5, 0.99), eps=1e-6, weight_decay=0.3)),
    "rmsprop": (torch.optim.RMSprop, dict(lr=0.01, alpha=0.9, eps=1e-6)),
    "rmsprop_momentum": (torch.optim.RMSprop, dict(lr=0.01, alpha=0.9, eps=1e-6, momentum=0.8,
                                                   weight_decay=0.1)),
    "rmsprop_centered": (torch.optim.RMSprop, dict(lr=0.01, alpha=0.9, eps=1e-3, centered=True)),
    "rmsprop_centered_momentum": (torch.optim.RMSprop, dict(
        lr=0.01, alpha=0.9, eps=1e-3, momentum=0.5, centered=True)),
}
KEPT = {"momentum_buffer": "momentum", "exp_avg": "m", "exp_avg_sq": "v", "square_avg": "square",
        "grad_avg": "mean"}


def optimisers(out, rng):
    start, grads = rng.normal(6), rng.normal(10, 6)
    grads[:, 1] *= 100.0
    grads[:, 2] *= 1e-3
    grads[1:, 4] = 0.0            # coasts on its first gradient
    out["p0"], out["grads"] = numpy(start), numpy(grads)
    for name, (kind, options) in VARIANTS.items():
        p = start.clone().requires_grad_()
        optimizer, history = kind([p], **options), {"p": []}
        for grad in grads:
            p.grad = grad.clone()
            optimizer.step()
            history["p"].append(numpy(p))
            for key, t in optimizer.state[p].items():
                if key in KEPT and t is not None:
                    history.setdefault(KEPT[key], []).append(numpy(t))
        out.update({f"{name}.{key}": np.stack(rows) for key, rows in history.items()})

    # Two groups, the second with a rate and a decay of its own, under a schedule.
    p, q = (start.clone().requires_grad_() for _ in range(2))
    optimizer = torch.optim.AdamW([{"params": [p]}, {"params": [q], "lr": 0.03,
                                                     "weight_decay": 0.0}], lr=0.01)
    scheduler = lr_scheduler.StepLR(optimizer, 4, 0.5)
    for grad in grads:
        p.grad, q.grad = grad.clone(), 2 * grad
        optimizer.step()
        scheduler.step()
    out["groups.p"], out["groups.q"] = numpy(p), numpy(q)


def schedules(out, _):
    def rates(make):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        scheduler, values = make(optimizer), []
        for _ in range(30):
            values.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return np.array(values)

    out["schedule.step_decay"] = rates(lambda o: lr_scheduler.StepLR(o, 7, 0.3))
    out["schedule.linear"] = rates(lambda o: lr_scheduler.LinearLR(o, 1.0, 0.2, 20))
    # Cosine by its formula: past its end PyTorch's own begins to rise again.
    out["schedule.cosine"] = rates(lambda o: lr_scheduler.LambdaLR(
        o, lambda e: 0.1 + 0.9 * (1 + np.cos(np.pi * min(e, 20) / 20)) / 2))
    within = rates(lambda o: lr_scheduler.CosineAnnealingLR(o, 20, 0.1))[:21]
    np.testing.assert_allclose(out["schedule.cosine"][:21], within, rtol=0, atol=1e-14)
    out["schedule.warmup_step_decay"] = rates(lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o, 0.25, 1.0, 5), lr_scheduler.StepLR(o, 7, 0.3)], [5]))


def clipping(out, rng):
    a, b = rng.normal(3, 4), rng.normal(5)
    out["clip.a"], out["clip.b"] = numpy(a), numpy(b)
    for key, limit in (("clip", 1.5), ("clip_loose", 50.0)):
        leaves = [torch.zeros_like(t).requires_grad_() for t in (a, b)]
        for leaf, t in zip(leaves, (a, b)):
            leaf.grad = t.clone()
        norm = torch.nn.utils.clip_grad_norm_(leaves, limit)
        out[f"{key}.norm"] = numpy(norm)
        out[f"{key}.norm_a"], out[f"{key}.norm_b"] = (numpy(leaf.grad) for leaf in leaves)
    out["clip.value_a"] = numpy(a.clamp(-0.5, 0.5))


def spectral_case(out, rng, name, layer, x_shape, v_to_ours):
    nn.utils.spectral_norm(layer, dim=1 if isinstance(layer, nn.ConvTranspose2d) else 0)
    layer.double()
    with torch.no_grad():
        for t in (layer.weight_orig, layer.bias, layer.weight_u, layer.weight_v):
            t.copy_(rng.normal(*t.shape))
        for t in (layer.weight_u, layer.weight_v):
            t.div_(t.norm())
    out.update({f"{name}.w": numpy(nhwc(layer.weight_orig)), f"{name}.b": numpy(layer.bias),
                f"{name}.u0": numpy(layer.weight_u), f"{name}.v0": v_to_ours(layer.weight_v)})
    # Three passes in training mode, then one backward through all of them.
    xs = rng.normal(3, *x_shape)
    total = 0
    for i in range(3):
        x = xs[i].requires_grad_(False)
        y = layer(nchw(x))
        dy = rng.normal(*nhwc(y).shape)
        total = total + (nhwc(y) * dy).sum()
        out[f"{name}.x{i}"], out[f"{name}.y{i}"] = numpy(x), numpy(nhwc(y))
        out[f"{name}.dy{i}"] = numpy(dy)
        out[f"{name}.u{i + 1}"] = numpy(layer.weight_u)
        out[f"{name}.v{i + 1}"] = v_to_ours(layer.weight_v)
    dw, db = torch.autograd.grad(total, [layer.weight_orig, layer.bias])
    out[f"{name}.dw"], out[f"{name}.db"] = numpy(nhwc(dw)), numpy(db)
    # In evaluation mode: the gradient of a gradient penalty.
    layer.eval()
    x = xs[0].clone().requires_grad_()
    y = layer(nchw(x))
    gx, = torch.autograd.grad(torch.tanh(y).sum(), x, create_graph=True)
    penalty = (gx.reshape(len(gx), -1).norm(dim=1) - 1).square().mean()
    dw, dx = torch.autograd.grad(penalty, [layer.weight_orig, x])
    out.update({f"{name}.eval_y": numpy(nhwc(y)), f"{name}.penalty": numpy(penalty),
                f"{name}.penalty_dw": numpy(nhwc(dw)), f"{name}.penalty_dx": numpy(dx)})


def spectral(out, rng):
    spectral_case(out, rng, "spectral_linear", nn.Linear(7, 4), (5, 7), numpy)
    spectral_case(out, rng, "spectral_conv2d", nn.Conv2d(3, 4, 3, 2, 1), (2, 5, 6, 3),
                  lambda v: numpy(v.reshape(3, 3, 3).permute(1, 2, 0).flatten()))
    spectral_case(out, rng, "spectral_conv_transpose2d", nn.ConvTranspose2d(4, 3, 4, 2, 1),
                  (2, 3, 2, 4), numpy)


def make():
    out = {}
    for seed, section in enumerate((optimisers, schedules, clipping, spectral)):
        section(out, Random(200 + seed))  # a seed each: one section may change alone
    return out, {"about": "names and shapes: scripts/make_goldens.py"}
