"""tests/goldens/catalogue.safetensors: the layers, losses and penalties beyond those of layers.py.

Names and shapes are in make_goldens.py.
"""
import numpy as np
import torch
from torch.nn import functional as F

from . import layers
from .common import Random, nchw, nhwc, numpy
from .layers import away_from_kink


def differentiate(out, name, inputs, function, dy):
    """That of layers.py, for functions of unnamed arguments."""
    layers.differentiate(out, name, inputs, lambda **named: function(*named.values()), dy)


def nhwc_of(function):
    """function on (N, C, H, W), as one on (N, H, W, C)."""
    return lambda x, *rest: nhwc(function(nchw(x), *rest))


def elementwise(out, rng):
    shape = (2, 3, 3, 4)
    functions = {"gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
                 "silu": F.silu, "clamp": lambda x: torch.clamp(x, -1.5, 0.75),
                 "softmax": lambda x: F.softmax(x, -1), "softmax_rows": lambda x: F.softmax(x, 1),
                 "log_softmax": lambda x: F.log_softmax(x, -1)}
    for name, function in functions.items():
        x = rng.normal(*shape, std=2.0)
        away_from_kink(np.stack([x + 1.5, x - 0.75]))
        differentiate(out, name, {"x": x}, function, rng.normal(*shape))
    # Beyond 20 PyTorch's softplus is x, which f64 tells from log(1 + e^x).
    x = rng.normal(*shape, std=3.0).clamp(-15, 15)
    differentiate(out, "softplus", {"x": x}, F.softplus, rng.normal(*shape))
    differentiate(out, "logsumexp", {"x": rng.normal(3, 4, 5, std=2.0)},
                  lambda x: torch.logsumexp(x, (0, 2)), rng.normal(4))
    for name, slopes in (("prelu", 1), ("prelu_channels", 4)):
        x = rng.normal(*shape, std=2.0)
        away_from_kink(x.numpy())
        differentiate(out, name, {"x": x, "w": rng.uniform(slopes, low=-0.5, high=0.5)},
                      nhwc_of(F.prelu), rng.normal(*shape))


def images(out, rng):
    def case(name, shape, function):
        x = rng.normal(*shape)
        y = nhwc_of(function)(x)
        differentiate(out, name, {"x": x}, nhwc_of(function), rng.normal(*y.shape))

    case("max_pool", (2, 7, 6, 3), lambda x: F.max_pool2d(x, 3, 2, 1))
    case("max_pool_dilated", (1, 8, 7, 2), lambda x: F.max_pool2d(x, 2, 1, 0, dilation=2))
    case("avg_pool", (2, 7, 6, 3), lambda x: F.avg_pool2d(x, 3, 2, 1))
    case("avg_pool_image", (2, 7, 6, 3),
         lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False))
    case("global_avg_pool", (2, 5, 3, 4), lambda x: F.adaptive_avg_pool2d(x, 1))
    case("nearest", (2, 3, 2, 3), lambda x: F.interpolate(x, scale_factor=3, mode="nearest"))
    case("nearest_size", (1, 5, 4, 2), lambda x: F.interpolate(x, (7, 3), mode="nearest-exact"))
    case("bilinear", (2, 3, 4, 3), lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"))
    case("bilinear_size", (1, 5, 4, 2), lambda x: F.interpolate(x, (7, 3), mode="bilinear"))
    case("antialias", (1, 11, 8, 2),
         lambda x: F.interpolate(x, (4, 3), mode="bilinear", antialias=True))
    case("pad", (2, 3, 4, 2), lambda x: F.pad(x, (2, 1, 0, 3), value=0.5))
    case("pad_reflect", (2, 4, 3, 2), lambda x: F.pad(x, (2, 1, 0, 3), mode="reflect"))
    case("global_max_pool", (2, 5, 3, 4), lambda x: F.adaptive_max_pool2d(x, 1))


def norms(out, rng):
    def case(name, shape, channels, function):
        inputs = {"x": rng.normal(*shape, mean=0.7, std=1.5)}
        if channels:
            inputs["w"] = rng.normal(*channels, mean=1.0, std=0.3)
            inputs["b"] = rng.normal(*channels)
        differentiate(out, name, inputs, function, rng.normal(*shape))

    case("layer_norm", (3, 4, 5), (5,), lambda x, w, b: F.layer_norm(x, (5,), w, b))
    case("layer_norm_images", (2, 3, 2, 4), (3, 2, 4),
         lambda x, w, b: F.layer_norm(x, (3, 2, 4), w, b, 1e-3))
    case("group_norm", (2, 3, 3, 6), (6,), nhwc_of(lambda x, w, b: F.group_norm(x, 3, w, b)))
    case("instance_norm", (2, 3, 4, 3), None, nhwc_of(F.instance_norm))
    case("instance_norm_affine", (2, 3, 4, 3), (3,),
         nhwc_of(lambda x, w, b: F.instance_norm(x, weight=w, bias=b)))


def embeddings(out, rng):
    """Indices are stored as F32, and repeat."""
    indices = torch.tensor([[3, 0, 3], [5, 3, 1]])
    differentiate(out, "embedding", {"w": rng.normal(6, 4)}, lambda w: F.embedding(indices, w),
                  rng.normal(2, 3, 4))
    out["embedding.indices"] = indices.numpy().astype("float32")


def losses(out, rng):
    def loss(name, inputs, function, labels=None):
        inputs = {key: t.clone().requires_grad_() for key, t in inputs.items()}
        value = function(*inputs.values())
        grads = torch.autograd.grad(value, list(inputs.values()))
        out.update({f"{name}.{key}": numpy(t) for key, t in inputs.items()})
        out.update({f"{name}.d{key}": numpy(t) for key, t in zip(inputs, grads)})
        out[f"{name}.loss"] = numpy(value)
        if labels is not None:
            out[f"{name}.labels"] = labels.numpy().astype("float32")

    labels, ignoring = torch.tensor([2, 0, 4, 4]), torch.tensor([2, -100, 4, 1])
    logits = rng.normal(4, 5, std=3.0)
    loss("cross_entropy", {"x": logits}, lambda x: F.cross_entropy(x, labels), labels)
    loss("cross_entropy_smooth", {"x": logits},
         lambda x: F.cross_entropy(x, labels, label_smoothing=0.1), labels)
    loss("cross_entropy_ignore", {"x": logits},
         lambda x: F.cross_entropy(x, ignoring, label_smoothing=0.2), ignoring)

    def pair():
        return {"x": rng.normal(3, 4, std=2.0), "target": rng.normal(3, 4)}

    loss("mse", pair(), F.mse_loss)
    loss("l1", pair(), F.l1_loss)
    loss("smooth_l1", pair(), F.smooth_l1_loss)
    loss("smooth_l1_beta", pair(), lambda x, t: F.smooth_l1_loss(x, t, beta=0.3))
    loss("huber", pair(), lambda x, t: F.huber_loss(x, t, delta=1.7))
    probability = rng.uniform(3, 4, low=0.0, high=1.0)
    loss("bce", {"x": rng.normal(3, 4, std=3.0)},
         lambda x: F.binary_cross_entropy_with_logits(x, probability))
    out["bce.target"] = numpy(probability)
    scores = {"real": rng.normal(5, std=2.0), "fake": rng.normal(5, std=2.0)}
    away_from_kink(np.stack([scores["real"] - 1, scores["fake"] + 1]))
    loss("hinge_d", scores, lambda real, fake: F.relu(1 - real).mean() + F.relu(1 + fake).mean())
    loss("hinge_g", {"fake": scores["fake"]}, lambda fake: -fake.mean())


def penalties(out, rng):
    """A discriminator without batch norm, and what R1 and WGAN-GP ask of its gradients."""
    weights = {"w1": rng.normal(4, 4, 4, 2, std=0.3), "b1": rng.normal(4, std=0.3),
               "w2": rng.normal(6, 4, 4, 4, std=0.2), "b2": rng.normal(6, std=0.3),
               "gamma": rng.normal(6, mean=1.0, std=0.3), "beta": rng.normal(6, std=0.3),
               "w3": rng.normal(1, 24, std=0.4), "b3": rng.normal(1)}
    weights = {key: t.requires_grad_() for key, t in weights.items()}
    real, fake = rng.normal(3, 8, 8, 2), rng.normal(3, 8, 8, 2)
    mix = rng.uniform(3, 1, 1, 1, low=0.0, high=1.0)

    def scores(x):
        p = weights
        h = F.conv2d(nchw(x), nchw(p["w1"]), p["b1"], 2, 1)
        away_from_kink(h.detach().numpy())
        h = F.conv2d(F.leaky_relu(h, 0.2), nchw(p["w2"]), p["b2"], 2, 1)
        h = F.silu(F.group_norm(h, 2, p["gamma"], p["beta"]))
        return F.linear(nhwc(h).flatten(1), p["w3"], p["b3"])

    def gradient(x):
        x = x.requires_grad_()
        y = scores(x)
        return y, torch.autograd.grad(y.sum(), x, create_graph=True)[0]

    def store(name, penalty):
        grads = torch.autograd.grad(penalty, list(weights.values()), allow_unused=True)
        out[f"penalty.{name}"] = numpy(penalty)
        for key, grad in zip(weights, grads):
            if grad is not None:  # the last bias moves no gradient
                out[f"penalty.{name}_d{key}"] = numpy(grad)

    out.update({f"penalty.{key}": numpy(t) for key, t in weights.items()})
    out.update({"penalty.real": numpy(real), "penalty.fake": numpy(fake),
                "penalty.mix": numpy(mix)})
    # Mescheder et al. 2018 (arXiv 1801.04406), eq. 9 with gamma 10.
    y, g = gradient(real.clone())
    out["penalty.scores"] = numpy(y)
    store("r1", 10 / 2 * g.flatten(1).pow(2).sum(1).mean())
    # Gulrajani et al. 2017 (arXiv 1704.00028), eq. 3 with lambda 10.
    _, g = gradient(mix * real + (1 - mix) * fake)
    store("gp", 10 * (g.flatten(1).norm(dim=1) - 1).pow(2).mean())


def make():
    out = {}
    for seed, section in enumerate((elementwise, images, norms, embeddings, losses, penalties)):
        section(out, Random(100 + seed))
    settings = dict(clamp=(-1.5, 0.75), group_norm_groups=3, lrelu_slope=0.2, r1_gamma=10,
                    gp_lambda=10, smooth_l1_beta=0.3, huber_delta=1.7)
    return out, {key: repr(value) for key, value in settings.items()}
