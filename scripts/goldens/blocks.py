"""tests/goldens/blocks.safetensors: layers made of layers, options that the other files leave out,
penalties of a residual discriminator, averages of weights, clipping in training.

Names and shapes are in make_goldens.py.
"""
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel

from .catalogue import differentiate, nhwc_of
from .common import Random, nchw, nhwc, numpy
from .layers import away_from_kink, conv2d_loops

ACTIVATIONS = {"none": lambda x: x, "relu": F.relu, "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
               "tanh": torch.tanh, "sigmoid": torch.sigmoid, "gelu": F.gelu, "silu": F.silu}


def convolve(x, w, b=None, stride=1, pad=0, dilation=1, groups=1):
    """F.conv2d of (N, H, W, C) with (K, R, S, C / groups)."""
    return nhwc(F.conv2d(nchw(x), nchw(w), b, stride, pad, dilation, groups))


def transposed(x, w, b=None, stride=1, pad=0, extra=0):
    """F.conv_transpose2d of (N, H, W, K) with (K, R, S, C)."""
    return nhwc(F.conv_transpose2d(nchw(x), nchw(w), b, stride, pad, extra))


def block(out, rng, name, shape, weight, conv, activation, channels=4, eps=1e-5, momentum=0.1,
          training=True, biased=False):
    """conv(x, w), batch norm and an activation."""
    mean, var = rng.normal(channels), rng.uniform(channels, low=0.5, high=2.0)
    out[f"{name}.mean_in"], out[f"{name}.var_in"] = numpy(mean), numpy(var)

    def run(x, w, gamma, beta):
        mean.copy_(torch.from_numpy(out[f"{name}.mean_in"]))
        var.copy_(torch.from_numpy(out[f"{name}.var_in"]))
        h = nhwc(F.batch_norm(nchw(conv(x, w)), mean, var, gamma, beta, training, momentum, eps))
        if activation.endswith("relu"):
            away_from_kink(h.detach().numpy())
        return ACTIVATIONS[activation](h)

    x, w = rng.normal(*shape), rng.normal(*weight, std=0.4)
    h = conv(x, w)
    gamma, beta = rng.normal(channels, mean=1.0, std=0.3), rng.normal(channels, std=0.5)
    differentiate(out, name, {"x": x, "w": w, "gamma": gamma, "beta": beta}, run,
                  rng.normal(*h.shape))
    if training:
        out[f"{name}.mean"], out[f"{name}.var"] = numpy(mean), numpy(var)
    if biased:  # PyTorch's running variance is the unbiased one
        batch = h.numpy().reshape(-1, channels).var(0)
        out[f"{name}.var"] = (1 - momentum) * out[f"{name}.var_in"] + momentum * batch


def conv_blocks(out, rng):
    shape, weight = (3, 5, 4, 3), (4, 3, 3, 3)
    up_shape, up_weight = (2, 3, 2, 3), (3, 4, 4, 4)

    def down(x, w):
        return convolve(x, w, stride=2, pad=1)

    def up(x, w):
        return transposed(x, w, stride=2, pad=1)

    for activation in ACTIVATIONS:
        block(out, rng, f"conv_block_{activation}", shape, weight, down, activation)
        block(out, rng, f"conv_block_up_{activation}", up_shape, up_weight, up, activation)
    block(out, rng, "conv_block_extra", up_shape, (3, 3, 3, 4),
          lambda x, w: transposed(x, w, stride=2, pad=1, extra=1), "silu")
    block(out, rng, "conv_block_keras", shape, weight, down, "relu", eps=1e-3, momentum=0.01,
          biased=True)
    block(out, rng, "conv_block_eval", shape, weight, down, "gelu", training=False)
    for name, run, x, w in (
            ("conv_block_plain", lambda x, w, b: F.gelu(convolve(x, w, b, 2, 1)), shape, weight),
            ("conv_block_plain_up", lambda x, w, b: F.silu(transposed(x, w, b, 2, 1)), up_shape,
             up_weight)):
        inputs = {"x": rng.normal(*x), "w": rng.normal(*w, std=0.4), "b": rng.normal(4)}
        differentiate(out, name, inputs, run, rng.normal(*run(**inputs).shape))

    # With spectral norm, one step of whose power method a pass in training mode takes.
    layer = nn.utils.spectral_norm(nn.Conv2d(3, 4, 3, 2, 1)).double()
    with torch.no_grad():
        for t in (layer.weight_orig, layer.bias, layer.weight_u, layer.weight_v):
            t.copy_(rng.normal(*t.shape))
        for t in (layer.weight_u, layer.weight_v):
            t.div_(t.norm())
    name = "conv_block_spectral"

    def vectors(when):  # v has the order of a row of the weight: PyTorch's C, R, S, ours R, S, C
        out[f"{name}.u{when}"] = numpy(layer.weight_u)
        out[f"{name}.v{when}"] = numpy(layer.weight_v.reshape(3, 3, 3).permute(1, 2, 0).flatten())

    vectors("_in")
    x = rng.normal(*shape).requires_grad_()
    y = torch.tanh(nhwc(layer(nchw(x))))
    vectors("")
    dy = rng.normal(*y.shape)
    dx, dw, db = torch.autograd.grad((y * dy).sum(), [x, layer.weight_orig, layer.bias])
    out.update({f"{name}.x": numpy(x), f"{name}.w": numpy(nhwc(layer.weight_orig)),
                f"{name}.b": numpy(layer.bias), f"{name}.y": numpy(y), f"{name}.dy": numpy(dy),
                f"{name}.dx": numpy(dx), f"{name}.dw": numpy(nhwc(dw)), f"{name}.db": numpy(db)})


def shrink(x, w1, b1, w2):
    """The residual block that halves an image: silu, 3x3 and average, beside 1x1 of stride 2."""
    body = convolve(F.silu(x), w1, b1, pad=1)
    return nhwc(F.avg_pool2d(nchw(body), 2)) + convolve(x, w2, stride=2)


def composites(out, rng):
    differentiate(out, "residual", {"x": rng.normal(2, 4, 3, 3),
                                    "w": rng.normal(3, 3, 3, 3, std=0.3), "b": rng.normal(3)},
                  lambda x, w, b: x + torch.tanh(convolve(x, w, b, pad=1)), rng.normal(2, 4, 3, 3))
    differentiate(out, "residual_shortcut",
                  {"x": rng.normal(2, 4, 6, 2), "w1": rng.normal(3, 3, 3, 2, std=0.4),
                   "b1": rng.normal(3), "w2": rng.normal(3, 1, 1, 2)}, shrink,
                  rng.normal(2, 2, 3, 3))
    # A vector becomes an image in (H, W, C) order. PyTorch's own order is that of w1's rows moved.
    inputs = {"x": rng.normal(3, 5), "w1": rng.normal(18, 5), "b1": rng.normal(18),
              "w2": rng.normal(4, 2, 2, 3)}
    differentiate(out, "reshape", inputs,
                  lambda x, w1, b1, w2: convolve(F.linear(x, w1, b1).reshape(3, 2, 3, 3), w2),
                  rng.normal(3, 1, 2, 4))
    rows = torch.arange(18).reshape(2, 3, 3).permute(2, 0, 1).flatten()
    image = F.linear(inputs["x"], inputs["w1"][rows], inputs["b1"][rows]).reshape(3, 3, 2, 3)
    np.testing.assert_allclose(nhwc(F.conv2d(image, nchw(inputs["w2"]))).numpy(),
                               out["reshape.y"], rtol=0, atol=1e-12)


def options(out, rng):
    differentiate(out, "linear_plain", {"x": rng.normal(5, 7), "w": rng.normal(4, 7)}, F.linear,
                  rng.normal(5, 4))
    differentiate(out, "conv2d_plain", {"x": rng.normal(2, 8, 7, 4), "w": rng.normal(6, 3, 3, 2)},
                  lambda x, w: convolve(x, w, None, 2, 2, 2, 2), rng.normal(2, 4, 4, 6))
    differentiate(out, "conv_transpose2d_plain",
                  {"x": rng.normal(2, 3, 4, 4), "w": rng.normal(4, 2, 2, 3)},
                  lambda x, w: transposed(x, w, None, 2), rng.normal(2, 6, 8, 3))
    # Both against loops over the definition: they guard the layouts of everything here.
    loops = conv2d_loops(out["conv2d_plain.x"], out["conv2d_plain.w"], (2, 2), (2, 2, 2, 2), 2, 2)
    np.testing.assert_allclose(out["conv2d_plain.y"], loops, rtol=0, atol=1e-12)
    loops = conv2d_loops(*(out[f"conv_transpose2d_plain.{t}"] for t in ("dy", "w")), (2, 2),
                         (0, 0, 0, 0), 1, 1)
    np.testing.assert_allclose(out["conv_transpose2d_plain.dx"], loops, rtol=0, atol=1e-12)
    shape = (2, 3, 2, 6)
    for name, function in (("layer_norm_plain", lambda x: F.layer_norm(x, (6,))),
                           ("group_norm_plain", nhwc_of(lambda x: F.group_norm(x, 2))),
                           ("log_softmax_rows", lambda x: F.log_softmax(x, 1))):
        differentiate(out, name, {"x": rng.normal(*shape, mean=0.7, std=1.5)}, function,
                      rng.normal(*shape))


def losses(out, rng):
    def loss(name, inputs, function):
        inputs = {key: t.clone().requires_grad_() for key, t in inputs.items()}
        value = function(*inputs.values())
        grads = torch.autograd.grad(value, list(inputs.values()))
        out.update({f"{name}.{key}": numpy(t) for key, t in inputs.items()})
        out.update({f"{name}.d{key}": numpy(t) for key, t in zip(inputs, grads)})
        out[f"{name}.loss"] = numpy(value)

    bce = F.binary_cross_entropy_with_logits
    loss("bce_learned", {"x": rng.normal(3, 4, std=3.0),
                         "target": rng.uniform(3, 4, low=0.05, high=0.95)}, bce)
    loss("bce_one_target", {"x": rng.normal(3, 4, std=3.0)},
         lambda x: bce(x, torch.full_like(x, 0.3)))
    loss("huber_default", {"x": rng.normal(3, 4, std=2.0), "target": rng.normal(3, 4)},
         F.huber_loss)
    loss("smooth_l1_zero", {"x": rng.normal(3, 4, std=2.0), "target": rng.normal(3, 4)},
         lambda x, t: F.smooth_l1_loss(x, t, beta=0.0))
    labels = torch.tensor([2, 1, 4, 1, 0])
    loss("cross_entropy_class", {"x": rng.normal(5, 6, std=2.0)},
         lambda x: F.cross_entropy(x, labels, ignore_index=1))
    out["cross_entropy_class.labels"] = labels.numpy().astype("float32")


def residual_penalties(out, rng):
    """R1 and WGAN-GP of a discriminator with a residual block, layer norm and spectral norm."""
    weights = {"w1": rng.normal(4, 3, 3, 2, std=0.4), "b1": rng.normal(4, std=0.3),
               "w2": rng.normal(6, 3, 3, 4, std=0.3), "b2": rng.normal(6, std=0.3),
               "w3": rng.normal(6, 1, 1, 4, std=0.5),
               "gamma": rng.normal(4, 4, 6, mean=1.0, std=0.3),
               "beta": rng.normal(4, 4, 6, std=0.3), "w4": rng.normal(1, 6), "b4": rng.normal(1)}
    weights = {key: t.requires_grad_() for key, t in weights.items()}
    # As if found by the power method, which evaluation mode leaves alone.
    u, v = torch.ones(1, dtype=torch.float64), rng.normal(6)
    v = v / v.norm()
    real, fake = rng.normal(3, 8, 8, 2), rng.normal(3, 8, 8, 2)
    mix = rng.uniform(3, 1, 1, 1, low=0.0, high=1.0)

    def scores(x):
        p = weights
        h = convolve(x, p["w1"], p["b1"], 1, 1)
        h = shrink(torch.tanh(h), p["w2"], p["b2"], p["w3"])
        h = F.gelu(F.layer_norm(h, (4, 4, 6), p["gamma"], p["beta"]))
        h = F.adaptive_avg_pool2d(nchw(h), 1).flatten(1)
        return F.linear(h, p["w4"] / (u @ p["w4"] @ v), p["b4"])

    def gradient(x):
        x = x.requires_grad_()
        y = scores(x)
        return y, torch.autograd.grad(y.sum(), x, create_graph=True)[0]

    def store(name, penalty):
        grads = torch.autograd.grad(penalty, list(weights.values()), allow_unused=True)
        out[f"residual_penalty.{name}"] = numpy(penalty)
        for key, grad in zip(weights, grads):
            if grad is not None:  # the last bias moves no gradient
                out[f"residual_penalty.{name}_d{key}"] = numpy(grad)

    out.update({f"residual_penalty.{key}": numpy(t) for key, t in weights.items()})
    out.update({f"residual_penalty.{key}": numpy(t) for key, t in
                dict(u=u, v=v, real=real, fake=fake, mix=mix).items()})
    y, g = gradient(real.clone())
    out["residual_penalty.scores"] = numpy(y)
    store("r1", 10 / 2 * g.flatten(1).pow(2).sum(1).mean())
    _, g = gradient(mix * real + (1 - mix) * fake)
    store("gp", 10 * (g.flatten(1).norm(dim=1) - 1).pow(2).mean())


def averages(out, rng):
    """Ten values of the weights and buffers of a network, and the averages that follow them."""
    live = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)).double()

    def average(before, value, t):
        t = t.item()
        return before + (1 - min(0.35, t / (t + 10))) * (value - before)

    follow = AveragedModel(live, use_buffers=True, avg_fn=average)
    names = [n for n in live.state_dict() if not n.endswith("num_batches_tracked")]
    history = {f"ema.{kind}.{name}": [] for kind in ("live", "average") for name in names}
    for _ in range(11):
        with torch.no_grad():
            for name in names:
                t = live.state_dict()[name]
                t.copy_(rng.normal(*t.shape))
        follow.update_parameters(live)  # the first time it takes the values over
        for name in names:
            history[f"ema.live.{name}"].append(numpy(nhwc(live.state_dict()[name])))
            history[f"ema.average.{name}"].append(numpy(nhwc(follow.module.state_dict()[name])))
    out.update({name: np.stack(rows) for name, rows in history.items()})


def clipped_steps(out, rng):
    """Training with clipped gradients: one norm over two parameters, and element by element."""
    starts = {"p": rng.normal(2, 3), "q": rng.normal(5)}
    grads = {"p": rng.normal(10, 2, 3), "q": rng.normal(10, 5)}
    grads["p"][3] *= 0.05  # within the norm
    grads["q"][3] *= 0.05
    grads["q"][6] *= 1e3
    for key in "pq":
        out[f"clipped.{key}0"], out[f"clipped.grads_{key}"] = (numpy(t[key])
                                                              for t in (starts, grads))
    for kind in ("norm", "value"):
        leaves = {key: t.clone().requires_grad_() for key, t in starts.items()}
        optimizer = torch.optim.SGD(leaves.values(), lr=0.1, momentum=0.9)
        history = {key: [] for key in ("p", "q", "before")}
        for i in range(10):
            for key, leaf in leaves.items():
                leaf.grad = grads[key][i].clone()
            if kind == "norm":
                history["before"].append(numpy(nn.utils.clip_grad_norm_(leaves.values(), 1.5)))
            else:
                nn.utils.clip_grad_value_(leaves.values(), 0.5)
            optimizer.step()
            for key, leaf in leaves.items():
                history[key].append(numpy(leaf))
        out.update({f"clipped.{kind}_{key}": np.stack(rows) for key, rows in history.items()
                    if rows})


def schedules(out, _):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, values = lr_scheduler.LambdaLR(optimizer, lambda step: 1.0), []
    for _ in range(30):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    out["schedule.constant"] = np.array(values)


def make():
    out = {}
    for seed, section in enumerate((conv_blocks, composites, options, losses, residual_penalties,
                                    averages, clipped_steps, schedules)):
        section(out, Random(302 + seed))  # a seed each: one section may change alone
    return out, {"about": "names and shapes: scripts/make_goldens.py"}
