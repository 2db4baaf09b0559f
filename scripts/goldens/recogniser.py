"""tests/goldens/recogniser_steps.safetensors: training steps of recognisers, one for each head.

Names and shapes are in make_goldens.py. Parameters are in our layout and under our names, from
which the networks here are computed by functions: gradients and the state of the optimisers then
are in it too.
"""
import math

import numpy as np
import torch
from torch.nn import functional as F

from .common import nchw, nhwc, numpy
from .margins import arcface, cosface, cosine_linear, triplet_semi_hard

STEPS, BATCH, BASE, DIMENSIONS, CLASSES, SCHEDULE = 6, 8, 2, 6, 5, 40
LABELS = [2, 0, 1, 2, 0, 3, 1, 2]  # classes 0 .. 3, of which three have several images
SAMPLED = 200  # about so many values of a tensor are in the file, evenly apart

# Of each run: network, size of its images, grey or not, head, its settings, optimiser, lr, decay.
RUNS = {
    "binary": ("seed003", 24, False, {}, "adamw", 1e-3, 5e-2),
    "softmax": ("residual", 32, False, {"label_smoothing": 0.1}, "adamw", 2e-3, 5e-2),
    "expression": ("vgg", 32, False, {"label_smoothing": 0.2}, "adamw", 2e-3, 1e-2),
    "cosface": ("residual", 32, True, {"scale": 12.0, "margin": 0.2}, "adamw", 2e-3, 5e-2),
    "arcface": ("residual", 32, False, {"scale": 12.0, "margin": 0.3}, "sgd", 2e-2, 5e-4),
    "triplet": ("residual", 32, False, {"margin": 0.3}, "adamw", 2e-3, 5e-2)}


def draws(key, count):
    """Numbers in [-1, 1) that any language makes alike: hashes of the positions (the finaliser of
    MurmurHash3)."""
    mask = np.uint64(0xffffffff)
    h = (np.arange(count, dtype=np.uint64) + np.uint64(key) * np.uint64(1000003)) & mask
    for shift, factor in ((16, 0x85ebca6b), (13, 0xc2b2ae35)):
        h ^= h >> np.uint64(shift)
        h = (h * np.uint64(factor)) & mask
    h ^= h >> np.uint64(16)
    return h.astype(np.float64) / 2.0 ** 31 - 1


def start(key, name, shape):
    """Values that f32 holds exactly. Weights of an activation of about the size of its input."""
    v = draws(key, math.prod(shape)).reshape(shape)
    if name.endswith("running_mean"):
        v = 0 * v
    elif name.endswith("running_var"):
        v = 0 * v + 1
    elif len(shape) > 1:
        v = v * math.sqrt(6 / math.prod(shape[1:]))
    elif name.endswith("bias"):
        v = 0.05 * v
    elif ".norm." in name or name.split(".")[-2] in NORMS:
        v = 1 + 0.2 * v
    else:  # slopes of PReLU
        v = 0.25 + 0.1 * v
    return torch.from_numpy(v.astype(np.float32)).double()


NORMS = {"0", "6", "10"}  # layers of residual that are a batch norm alone; the others are PReLUs


class Shapes(dict):
    """Names and shapes of a recogniser's parameters and statistics."""

    def norm(self, name, channels):
        for one in ("weight", "bias", "running_mean", "running_var"):
            self[f"{name}.{one}"] = (channels,)

    def conv_norm(self, name, inputs, outputs, kernel):
        self[f"{name}.conv.weight"] = (outputs, kernel, kernel, inputs)
        self.norm(f"{name}.norm", outputs)

    def with_bias(self, name, *shape):
        self[f"{name}.weight"], self[f"{name}.bias"] = shape, shape[:1]


def shapes_of(network, channels, head):
    shapes, layer = Shapes(), "body.layers.{}".format
    dimensions = DIMENSIONS
    if network == "seed003":
        dimensions = 128
        for place, inputs, outputs in ((0, channels, 32), (3, 32, 64), (6, 64, 128)):
            shapes.with_bias(layer(place), outputs, 3, 3, inputs)
        shapes.with_bias(layer(10), dimensions, 128)
    elif network == "vgg":
        inputs = channels
        for i in range(4):
            for place in (3 * i, 3 * i + 1):
                shapes.conv_norm(layer(place), inputs, BASE << i, 3)
                inputs = BASE << i
        shapes.with_bias(layer(14), dimensions, 4 * inputs)
    else:
        shapes.conv_norm(layer(0), channels, BASE, 3)
        shapes[layer(1) + ".weight"] = (BASE,)
        inputs = BASE
        for i in range(4):
            body, outputs = layer(2 + i) + ".body.layers.", BASE << i
            shapes.norm(body + "0", inputs)
            shapes.conv_norm(body + "1", inputs, outputs, 3)
            shapes[body + "2.weight"] = (outputs,)
            shapes.conv_norm(body + "3", outputs, outputs, 3)
            if i > 0:
                shapes.conv_norm(layer(2 + i) + ".shortcut", inputs, outputs, 1)
            inputs = outputs
        shapes.norm(layer(6), inputs)
        shapes[layer(9) + ".weight"] = (dimensions, 4 * inputs)
        shapes.norm(layer(10), dimensions)
    if head in ("cosface", "arcface"):
        shapes["head.weight"] = (CLASSES, dimensions)
    elif head != "triplet":
        shapes.with_bias("head", 1 if head == "binary" else CLASSES, dimensions)
    return shapes


class Net:
    def __init__(self, shapes):
        self.p = {name: start(key, name, shape)
                  for key, (name, shape) in enumerate(sorted(shapes.items()))}
        self.learned = [name for name in self.p if "running" not in name]
        for name in self.learned:
            self.p[name].requires_grad_()

    def conv(self, x, name, stride=1, padding=0):
        return F.conv2d(x, nchw(self.p[name + ".weight"]), self.p.get(name + ".bias"), stride,
                        padding)

    def norm(self, x, name):
        p = self.p
        return F.batch_norm(x, p[name + ".running_mean"], p[name + ".running_var"],
                            p[name + ".weight"], p[name + ".bias"], training=True)

    def conv_norm(self, x, name, stride=1, padding=1):
        return self.norm(self.conv(x, name + ".conv", stride, padding), name + ".norm")

    def prelu(self, x, name):
        return F.prelu(x, self.p[name + ".weight"])

    def linear(self, x, name):
        return F.linear(x, self.p[name + ".weight"], self.p.get(name + ".bias"))

    def seed003(self, x):
        for place in (0, 3, 6):
            x = F.max_pool2d(F.relu(self.conv(x, f"body.layers.{place}")), 2)
        return F.relu(self.linear(nhwc(x).flatten(1), "body.layers.10"))

    def vgg(self, x):
        for i in range(4):
            for place in (3 * i, 3 * i + 1):
                x = F.relu(self.conv_norm(x, f"body.layers.{place}"))
            x = F.max_pool2d(x, 2)
        return self.linear(nhwc(x).flatten(1), "body.layers.14")

    def residual(self, x):
        x = self.prelu(self.conv_norm(x, "body.layers.0", 2), "body.layers.1")
        for i in range(4):
            unit, stride = f"body.layers.{2 + i}", 1 if i == 0 else 2
            h = self.conv_norm(self.norm(x, unit + ".body.layers.0"), unit + ".body.layers.1",
                               stride)
            h = self.conv_norm(self.prelu(h, unit + ".body.layers.2"), unit + ".body.layers.3")
            x = h + (self.conv_norm(x, unit + ".shortcut", stride, 0) if i > 0 else x)
        x = self.norm(x, "body.layers.6")
        return self.norm(self.linear(nhwc(x).flatten(1), "body.layers.9"), "body.layers.10")


def loss_of(net, head, embeddings, labels, label_smoothing=0.0, **settings):
    """The loss, and for all heads but triplet the share of the batch whose answer is right."""
    if head == "triplet":
        return triplet_semi_hard(F.normalize(embeddings, dim=1), labels, **settings), None
    if head in ("cosface", "arcface"):
        cosines = cosine_linear(embeddings, net.p["head.weight"])
        loss = (cosface if head == "cosface" else arcface)(cosines, labels, **settings)
        return loss, (cosines.argmax(1) == labels).double().mean()
    answer = net.linear(embeddings, "head")
    if head == "binary":
        loss = F.binary_cross_entropy_with_logits(answer[:, 0], labels.double())
        return loss, ((answer[:, 0] > 0).long() == labels).double().mean()
    loss = F.cross_entropy(answer, labels, label_smoothing=label_smoothing)
    return loss, (answer.argmax(1) == labels).double().mean()


def optimiser_of(net, kind, lr, decay):
    def groups():
        for weights in (True, False):
            yield {"params": [net.p[n] for n in net.learned if (net.p[n].dim() > 1) == weights],
                   "weight_decay": decay if weights else 0.0}

    if kind == "sgd":
        return torch.optim.SGD(list(groups()), lr=lr, momentum=0.9)
    return torch.optim.AdamW(list(groups()), lr=lr)


def factor(step):
    """Of the learning rate: up from a twentieth over the first twentieth, then a cosine to 1%."""
    warm = SCHEDULE // 20
    if step < warm:
        return 0.05 + 0.95 * step / warm
    return 0.01 + 0.99 * (1 + math.cos(math.pi * (step - warm) / (SCHEDULE - warm))) / 2


def sampled(t):
    flat = numpy(t).reshape(-1)
    return flat[::max(1, len(flat) // SAMPLED)]


def make():
    out = {}
    for k, (head, (network, image, grey, settings, kind, lr, decay)) in enumerate(RUNS.items()):
        net = Net(shapes_of(network, 1 if grey else 3, head))
        optimiser = optimiser_of(net, kind, lr, decay)
        labels = torch.tensor(LABELS)
        if head == "binary":
            labels = labels % 2
        for i in range(STEPS):
            pixels = draws(1000 + 10 * k + i, BATCH * image * image * 3).astype(np.float32)
            x = nchw(torch.from_numpy(pixels).double().reshape(BATCH, image, image, 3))
            if grey:
                luma = torch.tensor([0.299, 0.587, 0.114]).double()  # as f32 has them
                x = (x * luma[:, None, None]).sum(1, keepdim=True)
            for group in optimiser.param_groups:
                group["lr"] = lr * factor(i)
            loss, accuracy = loss_of(net, head, getattr(net, network)(x), labels, **settings)
            optimiser.zero_grad()
            loss.backward()
            step = f"{head}.step{i + 1}"
            if i == 0:
                out.update({f"{step}.gradient.{n}": sampled(net.p[n].grad) for n in net.learned})
            optimiser.step()
            out[f"{step}.loss"] = numpy(loss)
            if accuracy is not None:
                out[f"{step}.accuracy"] = numpy(accuracy)
        out.update({f"{head}.end.{name}": sampled(t) for name, t in net.p.items()})
    return out, {"about": "names and shapes: scripts/make_goldens.py"}
