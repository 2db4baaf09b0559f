"""tests/goldens/layers.safetensors: every layer, loss and optimiser on tiny inputs.

Names and shapes are in make_goldens.py.
"""
import numpy as np
import torch
from torch.nn import functional as F

from .common import Random, nchw, nhwc, numpy


def differentiate(out, name, inputs, function, dy):
    """Runs y = function(**inputs), stores inputs, y, dy and the gradient of every input."""
    inputs = {key: t.clone().requires_grad_() for key, t in inputs.items()}
    y = function(**inputs)
    grads = torch.autograd.grad((y * dy).sum(), list(inputs.values()))
    out.update({f"{name}.{key}": numpy(t) for key, t in inputs.items()})
    out.update({f"{name}.d{key}": numpy(t) for key, t in zip(inputs, grads)})
    out[f"{name}.y"], out[f"{name}.dy"] = numpy(y), numpy(dy)


def conv2d_loops(x, w, stride, pad, dilation, groups):
    """The definition in kernels/conv2d/conv2d.h, word for word: guards the layout conversions."""
    x = np.pad(x, ((0, 0), pad[:2], pad[2:], (0, 0)))
    (n, h, wd, c), (k, r, s, cg) = x.shape, w.shape
    p = (h - dilation * (r - 1) - 1) // stride[0] + 1
    q = (wd - dilation * (s - 1) - 1) // stride[1] + 1
    y = np.zeros((n, p, q, k))
    for ip, iq, ik, ir, js in np.ndindex(p, q, k, r, s):
        first = ik // (k // groups) * cg
        y[:, ip, iq, ik] += x[:, ip * stride[0] + ir * dilation, iq * stride[1] + js * dilation,
                              first:first + cg] @ w[ik, ir, js]
    return y


def convolution(out, rng, name, x, w, stride, pad, dilation=1, groups=1):
    top, bottom, left, right = pad

    def run(x, w, b):
        padded = F.pad(nchw(x), (left, right, top, bottom))
        return nhwc(F.conv2d(padded, nchw(w), b, stride, 0, dilation, groups))

    x, w, b = rng.normal(*x), rng.normal(*w), rng.normal(w[0])
    y = run(x, w, b)
    loops = conv2d_loops(x.numpy(), w.numpy(), stride, pad, dilation, groups) + b.numpy()
    np.testing.assert_allclose(y.numpy(), loops, rtol=0, atol=1e-12)
    differentiate(out, name, {"x": x, "w": w, "b": b}, run, rng.normal(*y.shape))


def transposed(out, rng, name, x, w, size, stride, pad, dilation=1, groups=1):
    """`size` is the output's height and width; pad is that of the convolution it transposes."""
    top, _, left, _ = pad

    def run(x, w, b):
        # Wide enough at the end, then cropped: one rule for asymmetric and extra output padding.
        full = F.conv_transpose2d(nchw(x), nchw(w), None, stride, 0, 0, groups, dilation)
        full = F.pad(full, (0, stride, 0, stride))
        return nhwc(full[:, :, top:top + size[0], left:left + size[1]]) + b

    x, w, b = rng.normal(*x), rng.normal(*w), rng.normal(w[3] * groups)
    dy = rng.normal(x.shape[0], *size, b.numel())
    differentiate(out, name, {"x": x, "w": w, "b": b}, run, dy)
    # The gradient of conv2d_input_grad with respect to its input is conv2d itself.
    loops = conv2d_loops(dy.numpy(), w.numpy(), (stride, stride), pad, dilation, groups)
    np.testing.assert_allclose(out[f"{name}.dx"], loops, rtol=0, atol=1e-12)
    return run(x, w, b)


def convolutions(out, rng):
    convolution(out, rng, "conv2d", (2, 9, 8, 3), (5, 4, 4, 3), (2, 2), (1, 1, 1, 1))
    convolution(out, rng, "conv2d_groups", (2, 7, 8, 4), (6, 3, 3, 2), (1, 2), (2, 2, 2, 2), 2, 2)
    convolution(out, rng, "conv2d_asymmetric", (2, 6, 5, 3), (4, 3, 3, 3), (2, 2), (0, 1, 2, 1))
    same1, name = (1, 1, 1, 1), "conv_transpose2d"
    transposed(out, rng, name, (2, 4, 3, 5), (5, 4, 4, 3), (8, 6), 2, same1)
    transposed(out, rng, name + "_extra", (2, 3, 4, 4), (4, 3, 3, 2), (6, 8), 2, same1)
    transposed(out, rng, name + "_groups", (2, 3, 3, 4), (4, 3, 3, 3), (7, 7), 2, same1, 2, 2)
    transposed(out, rng, name + "_same", (2, 4, 4, 3), (3, 3, 3, 2), (8, 8), 2, (0, 1, 0, 1))
    transposed(out, rng, name + "_1x1", (3, 1, 1, 6), (6, 4, 4, 5), (4, 4), 1, (0, 0, 0, 0))
    # PyTorch's own padding and output_padding must agree with the crop above.
    for key, groups, dilation, extra in (("", 1, 1, 0), ("_extra", 1, 1, 1), ("_groups", 2, 2, 0)):
        x, w, b = (nchw(torch.from_numpy(out[f"{name}{key}.{t}"])) for t in "xwb")
        y = nhwc(F.conv_transpose2d(x, w, b, 2, 1, extra, groups, dilation))
        np.testing.assert_allclose(out[f"{name}{key}.y"], y.numpy(), rtol=0, atol=1e-12)


def linears(out, rng):
    differentiate(out, "linear", {"x": rng.normal(5, 7), "w": rng.normal(4, 7),
                                  "b": rng.normal(4)},
                  lambda x, w, b: F.linear(x, w, b), rng.normal(5, 4))
    w = rng.normal(6, 60)
    differentiate(out, "flatten_linear", {"x": rng.normal(2, 3, 4, 5), "w": w, "b": rng.normal(6)},
                  lambda x, w, b: F.linear(x.flatten(1), w, b), rng.normal(2, 6))
    w_chw = nchw(w.reshape(6, 3, 4, 5)).reshape(6, 60)
    x, b = (torch.from_numpy(out[f"flatten_linear.{t}"]) for t in "xb")
    np.testing.assert_allclose(F.linear(nchw(x).flatten(1), w_chw, b).numpy(),
                               out["flatten_linear.y"], rtol=0, atol=1e-12)
    out["flatten_linear.w_chw"] = numpy(w_chw)


def batch_norm_case(out, rng, name, shape, eps=1e-5, momentum=0.1, training=True, groups=1,
                    slope=None):
    """groups: how many contiguous parts of the batch have statistics of their own."""
    c = shape[-1]
    mean, var = rng.normal(c), rng.uniform(c, low=0.5, high=2.0)
    out[f"{name}.mean_in"], out[f"{name}.var_in"] = numpy(mean), numpy(var)

    def run(x, gamma, beta):
        mean.copy_(torch.from_numpy(out[f"{name}.mean_in"]))
        var.copy_(torch.from_numpy(out[f"{name}.var_in"]))
        y = torch.cat([nhwc(F.batch_norm(nchw(part), mean, var, gamma, beta, training, momentum,
                                         eps)) for part in x.chunk(groups)])
        return y if slope is None else F.leaky_relu(y, slope)

    x = rng.normal(*shape, mean=0.7, std=1.5)
    gamma, beta = rng.normal(c, mean=1.0, std=0.3), rng.normal(c)
    differentiate(out, name, {"x": x, "gamma": gamma, "beta": beta}, run, rng.normal(*shape))
    if slope is not None:
        away_from_kink(out[f"{name}.y"])
    if not training:
        np.testing.assert_array_equal(mean.numpy(), out[f"{name}.mean_in"])
        return
    out[f"{name}.mean"], out[f"{name}.var"] = numpy(mean), numpy(var)
    rows = x.numpy().reshape(-1, c)
    biased = (1 - momentum) * out[f"{name}.var_in"] + momentum * rows.var(0)
    if groups == 1:  # PyTorch's running variance is the unbiased one
        unbiased = biased + momentum * rows.var(0) / (len(rows) - 1)
        np.testing.assert_allclose(var.numpy(), unbiased, rtol=1e-12)
    if name == "batch_norm_keras":
        out[f"{name}.var_biased"] = biased


def away_from_kink(values, distance=1e-3):
    """So that no rounding and no finite difference crosses the kink of a ReLU."""
    if not np.abs(values).min() > distance:
        raise ValueError(f"a value is {np.abs(values).min()} from a kink; choose another seed")


def batch_norms(out, rng):
    images = (4, 3, 3, 5)
    batch_norm_case(out, rng, "batch_norm", images)
    batch_norm_case(out, rng, "batch_norm_keras", images, eps=1e-3, momentum=0.01)
    batch_norm_case(out, rng, "batch_norm_2d", (6, 5))
    batch_norm_case(out, rng, "batch_norm_groups", images, groups=2)
    batch_norm_case(out, rng, "batch_norm_eval", images, training=False)
    batch_norm_case(out, rng, "batch_norm_lrelu", images, slope=0.2)


def activations(out, rng):
    shape = (2, 3, 3, 4)
    functions = {"relu": F.relu, "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
                 "tanh": torch.tanh, "sigmoid": torch.sigmoid, "softplus": F.softplus,
                 "exp": torch.exp, "log": torch.log}
    for name, function in functions.items():
        x = rng.normal(*shape, std=2.0)
        away_from_kink(x.numpy())
        x = x.abs() if name == "log" else x
        differentiate(out, name, {"x": x}, lambda x, f=function: f(x), rng.normal(*shape))


def losses(out, rng):
    def loss(name, x, target, function):
        x = x.clone().requires_grad_()
        value = function(x, target)
        out[f"{name}.x"], out[f"{name}.target"] = numpy(x), numpy(target)
        out[f"{name}.loss"] = numpy(value)
        out[f"{name}.dx"] = numpy(torch.autograd.grad(value, x)[0])

    logits, target = rng.normal(3, 4, std=3.0), rng.uniform(3, 4, low=0.0, high=1.0)
    logits[0] = torch.tensor([40.0, -40.0, 800.0, -800.0], dtype=torch.float64)
    target[0] = torch.tensor([1.0, 0.0, 1.0, 0.0], dtype=torch.float64)
    logits[1, :2], target[1, :2] = torch.tensor([30.0, -30.0]), torch.tensor([0.0, 1.0])
    loss("bce_logits", logits, target, F.binary_cross_entropy_with_logits)
    loss("mse", rng.normal(3, 4), rng.normal(3, 4), F.mse_loss)
    loss("l1", rng.normal(3, 4), rng.normal(3, 4), F.l1_loss)

    real, fake = (rng.normal(5, std=2.0).requires_grad_() for _ in range(2))
    bce = F.binary_cross_entropy_with_logits
    loss_d = bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))
    loss_g = bce(fake, torch.ones_like(fake))
    minimax = torch.log(1 - torch.sigmoid(fake)).mean()
    d_real, d_fake = torch.autograd.grad(loss_d, (real, fake))
    out.update({"gan.real": numpy(real), "gan.fake": numpy(fake), "gan.loss_d": numpy(loss_d),
                "gan.d_real": numpy(d_real), "gan.d_fake": numpy(d_fake),
                "gan.loss_g": numpy(loss_g), "gan.loss_g_minimax": numpy(minimax),
                "gan.g_fake": numpy(torch.autograd.grad(loss_g, fake)[0]),
                "gan.g_minimax_fake": numpy(torch.autograd.grad(minimax, fake)[0])})


def adam(out, rng):
    p, grads = rng.normal(6).requires_grad_(), rng.normal(10, 6)
    grads[:, 1] = 0.0             # never moves
    grads[:, 2] *= 1e-8           # of eps's own size: tells where eps is added
    grads[:, 3] = grads[:, 3].abs() * torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(5)
    grads[1:, 4] = 0.0            # coasts on its first gradient
    out["adam.p0"], out["adam.grads"] = numpy(p), numpy(grads)
    optimizer = torch.optim.Adam([p], lr=0.01, betas=(0.5, 0.999), eps=1e-8)
    history = {"p": [], "m": [], "v": []}
    for grad in grads:
        p.grad = grad.clone()
        optimizer.step()
        state = optimizer.state[p]
        for key, t in zip("pmv", (p, state["exp_avg"], state["exp_avg_sq"])):
            history[key].append(numpy(t))
    out.update({f"adam.{key}": np.stack(rows) for key, rows in history.items()})


def second_order(out, rng):
    inputs = {"x": rng.normal(3, 8, 8, 2), "w1": rng.normal(4, 4, 4, 2, std=0.3),
              "gamma": rng.normal(4, mean=1.0, std=0.3), "beta": rng.normal(4, std=0.5),
              "w2": rng.normal(1, 4, 4, 4, std=0.5)}
    inputs = {key: t.requires_grad_() for key, t in inputs.items()}
    hidden = F.conv2d(nchw(inputs["x"]), nchw(inputs["w1"]), None, 2, 1)
    hidden = F.batch_norm(hidden, None, None, inputs["gamma"], inputs["beta"], True, 0.1, 1e-5)
    away_from_kink(hidden.detach().numpy())
    logits = F.conv2d(F.leaky_relu(hidden, 0.2), nchw(inputs["w2"])).flatten()
    gx, = torch.autograd.grad(logits.sum(), inputs["x"], create_graph=True)
    squared = gx.flatten(1).pow(2).sum(1)
    out.update({f"second_order.{key}": numpy(t) for key, t in inputs.items()})
    out["second_order.logits"], out["second_order.gx"] = numpy(logits), numpy(gx)
    wanted = {key: t for key, t in inputs.items() if key != "beta"}
    for name, penalty in (("r1", squared.mean()), ("gp", (squared.sqrt() - 1).pow(2).mean())):
        grads = torch.autograd.grad(penalty, list(wanted.values()), retain_graph=True)
        out[f"second_order.{name}"] = numpy(penalty)
        out.update({f"second_order.{name}_d{key}": numpy(t) for key, t in zip(wanted, grads)})


def make():
    out = {}
    for seed, section in enumerate((linears, convolutions, batch_norms, activations, losses, adam,
                                    second_order)):
        section(out, Random(100 + seed))  # a seed each: one section may change alone
    return out, {"about": "names and shapes: scripts/make_goldens.py"}
