"""tests/goldens/conditional.safetensors: training steps of small conditional GANs.

Names, shapes and the order of a step are in make_goldens.py.
"""
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

from .common import Random, nhwc, numpy

LR_G, LR_D, BETAS, EPS, STEPS = 1e-3, 2e-3, (0.5, 0.9), 1e-8, 3
IMAGE, BASE, Z, BATCH, CLASSES, CLASS_WEIGHT = 16, 2, 5, 4, 3, 0.7


def conv(inputs, outputs, kernel, bias=False):
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=bias)


def spectral(inputs, outputs, kernel):
    return spectral_norm(conv(inputs, outputs, kernel, bias=True))


class ConditionalBatchNorm(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.gain = nn.Parameter(torch.zeros(classes, channels))
        self.bias = nn.Parameter(torch.zeros(classes, channels))
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x, labels):
        shape = (len(labels), -1, 1, 1)
        return self.norm(x) * (1 + self.gain[labels].view(shape)) + self.bias[labels].view(shape)


class UpBlock(nn.Module):
    def __init__(self, inputs, outputs, classes):
        super().__init__()
        self.norm1 = ConditionalBatchNorm(inputs, classes)
        self.conv1 = conv(inputs, outputs, 3)
        self.norm2 = ConditionalBatchNorm(outputs, classes)
        self.conv2 = conv(outputs, outputs, 3)
        self.shortcut = conv(inputs, outputs, 1)

    def forward(self, x, labels):
        y = F.interpolate(F.relu(self.norm1(x, labels)), scale_factor=2)
        y = self.conv2(F.relu(self.norm2(self.conv1(y), labels)))
        return y + self.shortcut(F.interpolate(x, scale_factor=2))


class Generator(nn.Module):
    def __init__(self, image=IMAGE, base=BASE, z=Z, classes=CLASSES):
        super().__init__()
        ups = image.bit_length() - 3
        self.width = width = base << (ups - 1)
        self.linear = nn.Linear(z, 16 * width)  # rows in the order H, W, C, as Imago has them
        self.blocks = nn.ModuleList()
        for i in range(ups):
            self.blocks.append(UpBlock(width, base << (ups - 1 - i), classes))
            width = base << (ups - 1 - i)
        self.norm = nn.BatchNorm2d(width)
        self.conv = conv(width, 3, 3, bias=True)

    def forward(self, z, labels):
        x = self.linear(z).view(-1, 4, 4, self.width).permute(0, 3, 1, 2)
        for block in self.blocks:
            x = block(x, labels)
        return torch.tanh(self.conv(F.relu(self.norm(x))))


class DownBlock(nn.Module):
    """Children are numbered as Imago's nn::Residual of nn::Sequentials has them."""

    def __init__(self, inputs, outputs, first=False, halve=True):
        super().__init__()
        hidden = outputs if first else inputs
        layers = [] if first else [nn.ReLU()]
        layers += [spectral(inputs, hidden, 3), nn.ReLU(), spectral(hidden, outputs, 3)]
        shortcut = []
        if halve:
            layers.append(nn.AvgPool2d(2))
            shortcut = [nn.AvgPool2d(2), spectral(inputs, outputs, 1)]
        self.body = nn.ModuleDict({"layers": nn.Sequential(*layers)})
        self.shortcut = nn.ModuleDict({"layers": nn.Sequential(*shortcut)})

    def forward(self, x):
        return self.body["layers"](x) + self.shortcut["layers"](x)


class Discriminator(nn.Module):
    def __init__(self, projection, image=IMAGE, base=BASE, classes=CLASSES):
        super().__init__()
        downs, width, blocks = image.bit_length() - 3, 3, []
        for i in range(downs):
            blocks.append(DownBlock(width, base << i, first=i == 0))
            width = base << i
        blocks.append(DownBlock(width, width, halve=False))
        self.features = nn.ModuleDict({"layers": nn.Sequential(*blocks)})
        self.linear = spectral_norm(nn.Linear(width, 1))
        if projection:
            self.embedding = spectral_norm(nn.Embedding(classes, width))
        else:
            self.classifier = nn.Linear(width, classes)
        self.projection = projection

    def forward(self, x, labels):
        """The logits (N, 1), and those of classes (N, K) or None."""
        features = F.relu(self.features["layers"](x)).sum((2, 3))
        logits = self.linear(features)
        if self.projection:
            return logits + (self.embedding(labels) * features).sum(1, keepdim=True), None
        return logits, self.classifier(features)


def initialise(net, rng):
    """Values that f32 holds exactly, so that an f32 and an f64 run start from the same point."""
    with torch.no_grad():
        for name, t in net.state_dict().items():
            if name.endswith("running_var"):
                t.fill_(1)
            elif name.endswith("running_mean"):
                t.zero_()
            elif name.endswith("norm.weight"):
                t.copy_(rng.normal(*t.shape, mean=1.0, std=0.1))
            elif name.endswith(".bias") and t.dim() == 1:  # positive: so few features are all 0
                t.copy_(rng.normal(*t.shape, mean=0.1, std=0.2))
            elif not name.endswith("num_batches_tracked"):
                t.copy_(rng.normal(*t.shape, std=0.3))
            t.copy_(t.float())


def snapshot(prefix, nets):
    """Without the v of spectral norm, whose order is PyTorch's; the next step makes it from u."""
    return {f"{prefix}{key}.{name}": numpy(nhwc(t)) for key, net in nets.items()
            for name, t in net.state_dict().items()
            if not name.endswith(("num_batches_tracked", "weight_v"))}


def train(out, rng, real, labels, z, mode, hinge):
    projection = mode == "projection"
    g, d = Generator().double(), Discriminator(projection).double()
    nets = {"g": g, "d": d}
    initialise(g, rng)
    initialise(d, rng)
    out.update({name: t.astype("float32") for name, t in snapshot(f"{mode}.init.", nets).items()})
    opt_g = torch.optim.Adam(g.parameters(), lr=LR_G, betas=BETAS, eps=EPS)
    opt_d = torch.optim.Adam(d.parameters(), lr=LR_D, betas=BETAS, eps=EPS)

    def with_classes(loss, classes):
        return loss if classes is None else loss + CLASS_WEIGHT * F.cross_entropy(classes, c)

    x, c = real.double().permute(0, 3, 1, 2), labels
    for i in range(STEPS):
        fake = g(z[i].double(), c)
        opt_d.zero_grad()
        (on_real, class_real), (on_fake, class_fake) = d(x, c), d(fake.detach(), c)
        if hinge:
            loss_d = F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean()
        else:
            loss_d = F.softplus(-on_real).mean() + F.softplus(on_fake).mean()
        loss_d = with_classes(with_classes(loss_d, class_real), class_fake)
        loss_d.backward()
        opt_d.step()
        opt_g.zero_grad()
        logits, classes = d(fake, c)
        loss_g = -logits.mean() if hinge else F.softplus(-logits).mean()
        loss_g = with_classes(loss_g, classes)
        loss_g.backward()
        opt_g.step()
        step = f"{mode}.step{i + 1}."
        values = dict(loss_d=loss_d, loss_g=loss_g, logits_real=on_real, logits_fake=on_fake)
        if not projection:
            values.update(class_real=F.cross_entropy(class_real, c),
                          class_fake=F.cross_entropy(classes, c))
        out.update({step + name: numpy(t) for name, t in values.items()})
    out.update(snapshot(f"{mode}.last.", nets))
    with torch.no_grad():
        out[f"{mode}.drawn"] = numpy(nhwc(g.eval()(z[0, :1].double(), labels[1:2])))


def make():
    out, rng = {}, Random(11)
    real = rng.uniform(BATCH, IMAGE, IMAGE, 3).float()
    z = rng.normal(STEPS, BATCH, Z).float()
    labels = torch.tensor([2, 0, 1, 2])
    out.update(real=numpy(real), z=numpy(z), labels=labels.numpy().astype("float32"))
    train(out, rng, real, labels, z, "projection", hinge=True)
    train(out, rng, real, labels, z, "acgan", hinge=False)
    settings = dict(lr_g=LR_G, lr_d=LR_D, beta1=BETAS[0], beta2=BETAS[1], eps=EPS, steps=STEPS,
                    image=IMAGE, base=BASE, z=Z, batch=BATCH, classes=CLASSES,
                    class_weight=CLASS_WEIGHT)
    return out, {key: repr(value) for key, value in settings.items()}
