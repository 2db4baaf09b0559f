"""tests/goldens/translation_steps.safetensors: training steps of small image-to-image networks.

Names, shapes and the order of a step are in make_goldens.py.
"""
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

from .common import Random, nchw, nhwc, numpy

LR_G, LR_D, BETAS, EPS, STEPS, SLOPE = 1e-3, 2e-3, (0.5, 0.9), 1e-8, 3, 0.2
IMAGE, BASE, BATCH = 16, 2, 3

# Of each run: channels of input and output, whether there is a hole, the weights of L1, L2 and the
# discriminators, and whether their loss is the hinge.
RUNS = {"inpaint": (4, 3, True, 3.0, 0.5, 0.7, True),
        "matte": (3, 1, False, 2.0, 0.0, 0.3, False),
        "lowlight": (3, 3, False, 0.0, 1.0, 0.0, False)}


class Block(nn.Module):
    """Convolution, batch norm, leaky ReLU."""

    def __init__(self, inputs, outputs, kernel, stride, slope):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, 1, bias=False)
        self.norm, self.slope = nn.BatchNorm2d(outputs), slope

    def forward(self, x):
        return F.leaky_relu(self.norm(self.conv(x)), self.slope)


class Translator(nn.Module):
    def __init__(self, inputs, outputs, image=IMAGE, base=BASE):
        super().__init__()
        n = image.bit_length() - 3
        w = [min(base << i, 8 * base) for i in range(n + 1)]
        self.first = nn.Conv2d(inputs, w[0], 3, 1, 1)
        self.down = nn.ModuleList(Block(w[i], w[i + 1], 4, 2, SLOPE) for i in range(n))
        self.middle = nn.ModuleList(Block(w[n], w[n], 3, 1, SLOPE) for _ in range(2))
        self.up = nn.ModuleList(Block(w[i + 1] + w[i], w[i], 3, 1, 0) for i in reversed(range(n)))
        self.last = nn.Conv2d(w[0], outputs, 3, 1, 1)

    def forward(self, x):
        features, x = [], F.leaky_relu(self.first(x), SLOPE)
        for down in self.down:
            features.append(x)
            x = down(x)
        for middle in self.middle:
            x = middle(x)
        for up in self.up:
            x = up(torch.cat([F.interpolate(x, scale_factor=2), features.pop()], 1))
        return torch.tanh(self.last(x))


class Plain(nn.Module):
    """A convolution and a leaky ReLU; its child has the name that it has in Imago."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = spectral_norm(nn.Conv2d(inputs, outputs, 4, 2, 1))

    def forward(self, x):
        return F.leaky_relu(self.conv(x), SLOPE)


class Critic(nn.Module):
    def __init__(self, inputs, image, width):
        super().__init__()
        layers = [spectral_norm(nn.Conv2d(inputs, width, 4, 2, 1)), nn.LeakyReLU(SLOPE)]
        for _ in range(image.bit_length() - 4):
            layers.append(Plain(width, 2 * width))
            width *= 2
        layers += [spectral_norm(nn.Conv2d(width, 1, 4, 1, 0)), nn.Flatten()]
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x)


def initialise(net, rng):
    """Values that f32 holds exactly, so that an f32 and an f64 run start from the same point."""
    with torch.no_grad():
        for name, t in net.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            if name.endswith("running_var"):
                t.fill_(1)
            elif name.endswith("running_mean"):
                t.zero_()
            elif name.endswith("norm.weight"):
                t.copy_(rng.normal(*t.shape, mean=1.0, std=0.1))
            elif name.endswith("bias"):
                t.copy_(rng.normal(*t.shape, mean=0.1, std=0.2))
            else:
                t.copy_(rng.normal(*t.shape, std=0.3))
            t.copy_(t.float())


def snapshot(prefix, nets):
    """Without the v of spectral norm, whose order is PyTorch's; the next step makes it from u."""
    return {f"{prefix}{key}.{name}": numpy(nhwc(t)) for key, net in nets.items()
            for name, t in net.state_dict().items()
            if not name.endswith(("num_batches_tracked", "weight_v"))}


def windows(x, down, right):
    """The half of the side that the shifts bring to the upper left corner."""
    half = x.shape[2] // 2
    return torch.stack([image[:, -d:half - d, -r:half - r]
                        for image, d, r in zip(x, down.tolist(), right.tolist())])


def examples(rng, inputs, outputs, hole):
    """Work and answers (N, H, W, C), and the shifts of the windows."""
    target = rng.uniform(BATCH, IMAGE, IMAGE, outputs).float()
    down, right = torch.tensor([-3, 0, -8]), torch.tensor([-8, -5, 0])
    if not hole:
        return rng.uniform(BATCH, IMAGE, IMAGE, inputs).float(), target, down, right
    missing = torch.zeros(BATCH, IMAGE, IMAGE, 1)
    for n, (top, left, height, width) in enumerate([(4, 9, 6, 5), (2, 7, 4, 8), (8, 1, 8, 4)]):
        missing[n, top:top + height, left:left + width] = 1
    return torch.cat([target * (1 - missing), missing], 3), target, down, right


def d_loss(real, fake, hinge):
    if hinge:
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def g_loss(fake, hinge):
    return -fake.mean() if hinge else F.softplus(-fake).mean()


def train(out, rng, run):
    inputs, outputs, hole, l1_weight, l2_weight, adversarial, hinge = RUNS[run]
    g = Translator(inputs, outputs).double()
    seen = outputs if hole else inputs + outputs
    d, d_local = Critic(seen, IMAGE, 2 * BASE).double(), Critic(seen, IMAGE // 2, 2 * BASE).double()
    nets = {"g": g, "d": d, "d_local": d_local}
    for net in nets.values():
        initialise(net, rng)
    out.update({name: t.astype("float32") for name, t in snapshot(f"{run}.init.", nets).items()})
    given, target, down, right = examples(rng, inputs, outputs, hole)
    tensors = dict(input=given, target=target, shift_down=down, shift_right=right)
    out.update({f"{run}.{name}": numpy(t.float()) for name, t in tensors.items()})
    x, y = nchw(given.double()), nchw(target.double())
    opt_g = torch.optim.Adam(g.parameters(), lr=LR_G, betas=BETAS, eps=EPS)
    opt_d = torch.optim.Adam([*d.parameters(), *d_local.parameters()], lr=LR_D, betas=BETAS,
                             eps=EPS)

    def judged(image):
        return image if hole else torch.cat([x, image], 1)

    def difference(values):
        return values.sum() / (x[:, 3].sum() * outputs) if hole else values.mean()

    for i in range(STEPS):
        result = g(x)
        if hole:
            result = torch.where(x[:, 3:] > 0.5, result, x[:, :3])
        values = {}
        if adversarial:
            real, fake = judged(y), judged(result.detach())
            opt_d.zero_grad()
            on_real, on_fake = d(real), d(fake)
            of_global = d_loss(on_real, on_fake, hinge)
            of_local = d_loss(d_local(windows(real, down, right)),
                              d_local(windows(fake, down, right)), hinge)
            (of_global + of_local).backward()
            opt_d.step()
            values.update(loss_d_global=of_global, loss_d_local=of_local, logits_real=on_real,
                          logits_fake=on_fake)
        opt_g.zero_grad()
        l1, l2 = difference((result - y).abs()), difference((result - y) ** 2)
        loss = l1_weight * l1 + l2_weight * l2
        if adversarial:
            fake = judged(result)
            of_g = g_loss(d(fake), hinge) + g_loss(d_local(windows(fake, down, right)), hinge)
            loss = loss + adversarial * of_g
            values.update(loss_g=of_g)
        loss.backward()
        opt_g.step()
        values.update(loss=loss, l1=l1, l2=l2)
        out.update({f"{run}.step{i + 1}.{name}": numpy(t) for name, t in values.items()})
    trained = nets if adversarial else {"g": g}
    out.update(snapshot(f"{run}.last.", trained))
    with torch.no_grad():
        drawn = g.eval()(x)
        if hole:
            drawn = torch.where(x[:, 3:] > 0.5, drawn, x[:, :3])
        out[f"{run}.drawn"] = numpy(nhwc(drawn))


def make():
    out, rng = {}, Random(17)
    for run in RUNS:
        train(out, rng, run)
    settings = dict(lr_g=LR_G, lr_d=LR_D, beta1=BETAS[0], beta2=BETAS[1], eps=EPS, steps=STEPS,
                    image=IMAGE, base=BASE, batch=BATCH, slope=SLOPE)
    return out, {key: repr(value) for key, value in settings.items()}
