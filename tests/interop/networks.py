"""The networks of test_pytorch.py, written here as PyTorch's users write them."""
from functools import partial

import torch
from torch import nn
from torch.nn import functional


class Net(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.main = nn.Sequential(*layers)

    def forward(self, x):
        return self.main(x)


def dcgan_g(image, base, z=100):
    width, layers, size = base * image // 8, [], 4
    layers += [nn.ConvTranspose2d(z, width, 4, 1, 0, bias=False),
               nn.BatchNorm2d(width), nn.ReLU(True)]
    while size < image // 2:
        layers += [nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False),
                   nn.BatchNorm2d(width // 2), nn.ReLU(True)]
        width, size = width // 2, size * 2
    return Net(*layers, nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False), nn.Tanh())


def dcgan_d(image, base):
    width, size = base, image // 2
    layers = [nn.Conv2d(3, base, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
    while size > 4:
        layers += [nn.Conv2d(width, width * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(width * 2),
                   nn.LeakyReLU(0.2, inplace=True)]
        width, size = width * 2, size // 2
    return Net(*layers, nn.Conv2d(width, 1, 4, 1, 0, bias=False))


def resize_g(image, base, z=100):
    width, size = base * image // 8, 4
    layers = [nn.ConvTranspose2d(z, width, 4, 1, 0, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    while size < image // 2:
        layers += [nn.Upsample(scale_factor=2), nn.Conv2d(width, width // 2, 3, 1, 1, bias=False),
                   nn.BatchNorm2d(width // 2), nn.ReLU()]
        width, size = width // 2, size * 2
    return Net(*layers, nn.Upsample(scale_factor=2), nn.Conv2d(width, 3, 3, 1, 1, bias=False),
               nn.Tanh())


def normalised(net, *shape):
    """After a few steps of the power method of its layers of spectral norm."""
    for _ in range(5):
        net(torch.zeros(1, *shape))
    return net


def sndcgan_d(image, base):
    norm, width, size = nn.utils.spectral_norm, base, image // 2
    layers = [norm(nn.Conv2d(3, base, 4, 2, 1)), nn.LeakyReLU(0.2)]
    while size > 4:
        layers += [norm(nn.Conv2d(width, width * 2, 4, 2, 1)), nn.LeakyReLU(0.2)]
        width, size = width * 2, size // 2
    return normalised(Net(*layers, norm(nn.Conv2d(width, 1, 4, 1, 0))), 3, image, image)


class Block(nn.Module):
    def __init__(self, body, shortcut=()):
        super().__init__()
        self.body, self.shortcut = nn.Sequential(*body), nn.Sequential(*shortcut)

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


class SumPool(nn.Module):
    def forward(self, x):
        return x.sum((2, 3))


def resnet_g(image, base, z=128):
    width, size = base * image // 8, 4
    layers = [nn.Linear(z, 16 * width), nn.Unflatten(1, (width, 4, 4))]
    while size < image:
        size *= 2
        out = base * image // size
        layers.append(Block(
            [nn.BatchNorm2d(width), nn.ReLU(), nn.Upsample(scale_factor=2),
             nn.Conv2d(width, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(),
             nn.Conv2d(out, out, 3, 1, 1, bias=False)],
            [nn.Conv2d(width, out, 1, bias=False), nn.Upsample(scale_factor=2)]))
        width = out
    return Net(*layers, nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, 3, 3, 1, 1), nn.Tanh())


def resnet_features(image, base):
    """What is before the last layer of a residual discriminator, and its channels."""
    def conv(inputs, outputs, kernel=3):
        return nn.utils.spectral_norm(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2))

    layers = [Block([conv(3, base), nn.ReLU(), conv(base, base), nn.AvgPool2d(2)],
                    [nn.AvgPool2d(2), conv(3, base, 1)])]
    width, size = base, image // 2
    while size > 4:
        layers.append(Block([nn.ReLU(), conv(width, width), nn.ReLU(), conv(width, 2 * width),
                             nn.AvgPool2d(2)], [nn.AvgPool2d(2), conv(width, 2 * width, 1)]))
        width, size = 2 * width, size // 2
    layers.append(Block([nn.ReLU(), conv(width, width), nn.ReLU(), conv(width, width)]))
    return [*layers, nn.ReLU(), SumPool()], width


def resnet_d(image, base):
    layers, width = resnet_features(image, base)
    last = nn.utils.spectral_norm(nn.Linear(width, 1))
    return normalised(Net(*layers, last), 3, image, image)


CLASSES = 3


def labels_of(x):
    """interop_tool's labels: row i is of class i % 3."""
    return torch.arange(len(x)) % CLASSES


class ConditionalBatchNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.gain, self.bias = (nn.Embedding(CLASSES, channels) for _ in range(2))
        for table in (self.gain, self.bias):
            nn.init.normal_(table.weight, 0, 0.3)

    def forward(self, x, labels):
        gain, bias = (table(labels)[:, :, None, None] for table in (self.gain, self.bias))
        return self.norm(x) * (1 + gain) + bias


class ConditionalBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1, self.norm2 = ConditionalBatchNorm(inputs), ConditionalBatchNorm(outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x, labels):
        def doubled(x):
            return functional.interpolate(x, scale_factor=2)

        y = self.conv1(doubled(functional.relu(self.norm1(x, labels))))
        y = self.conv2(functional.relu(self.norm2(y, labels)))
        return y + self.shortcut(doubled(x))


class ConditionalGenerator(nn.Module):
    def __init__(self, image, base=3, z=5):
        super().__init__()
        width, size = base * image // 8, 4
        self.width, self.linear, self.blocks = width, nn.Linear(z, 16 * width), nn.ModuleList()
        while size < image:
            size *= 2
            self.blocks.append(ConditionalBlock(width, base * image // size))
            width = base * image // size
        self.norm, self.conv = nn.BatchNorm2d(width), nn.Conv2d(width, 3, 3, 1, 1)

    def forward(self, z):
        x = self.linear(z).reshape(-1, self.width, 4, 4)
        for block in self.blocks:
            x = block(x, labels_of(z))
        return torch.tanh(self.conv(functional.relu(self.norm(x))))


class ConditionalDiscriminator(nn.Module):
    def __init__(self, conditioning, image, base=3):
        super().__init__()
        layers, width = resnet_features(image, base)
        self.features = nn.Sequential(*layers)
        self.linear = nn.utils.spectral_norm(nn.Linear(width, 1))
        if conditioning == "projection":
            self.embedding = nn.utils.spectral_norm(nn.Embedding(CLASSES, width))
        else:
            self.classifier = nn.Linear(width, CLASSES)

    def forward(self, x):
        """The logit, and with acgan those of the classes in the same row."""
        features = self.features(x)
        logits = self.linear(features)
        if hasattr(self, "classifier"):
            return torch.cat([logits, self.classifier(features)], 1)
        return logits + (self.embedding(labels_of(x)) * features).sum(1, keepdim=True)


def conditional_d(conditioning, image):
    return normalised(ConditionalDiscriminator(conditioning, image), 3, image, image)


class VaeGanDiscriminator(nn.Module):
    """Of a VAE-GAN whose features are those of that layer."""

    def __init__(self, image, feature_layer, base=3):
        super().__init__()
        parts, inputs, width = [[], []], 3, base
        for layer in range(1, image.bit_length() - 2):
            part = parts[layer > feature_layer]
            part.append(nn.Conv2d(inputs, width, 4, 2, 1, bias=layer == 1))
            if layer > 1:
                part.append(nn.GroupNorm(1, width))
            part.append(nn.LeakyReLU(0.2))
            inputs, width = width, 2 * width
        self.features = nn.Sequential(*parts[0])
        self.head = nn.Sequential(*parts[1], nn.Conv2d(inputs, 1, 4), nn.Flatten())

    def forward(self, x):
        return self.head(self.features(x))


class Pixels(nn.Module):
    def __init__(self, learned):
        super().__init__()
        log_sigma = torch.tensor(-0.4)
        if learned:
            self.log_sigma = nn.Parameter(log_sigma)
        else:
            self.register_buffer("log_sigma", log_sigma)


class Vae(nn.Module):
    def __init__(self, image, likelihood, part, base=3, latent=5):
        super().__init__()
        self.part = part
        widths = [base]
        while image // (2 << len(widths)) >= 4:
            widths.append(2 * widths[-1])
        wide, layers = widths[-1], []
        for inputs, outputs in zip([3, *widths], widths):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.2)]
        self.encoder = nn.Sequential(*layers, nn.Flatten())
        self.mu, self.log_variance = nn.Linear(16 * wide, latent), nn.Linear(16 * wide, latent)
        layers = [nn.Linear(latent, 16 * wide), nn.LeakyReLU(0.2), nn.Unflatten(1, (wide, 4, 4))]
        for outputs in widths[-2::-1]:
            layers += [nn.ConvTranspose2d(2 * outputs, outputs, 4, 2, 1), nn.LeakyReLU(0.2)]
        layers.append(nn.ConvTranspose2d(base, 3, 4, 2, 1))
        self.decoder = nn.Sequential(*layers, *([] if likelihood == "bernoulli" else [nn.Tanh()]))
        with torch.no_grad():  # larger weights: in a fresh network little of z reaches the pixels
            for p in self.parameters():
                p.mul_(2)
        if likelihood != "bernoulli":
            self.pixels = Pixels(likelihood == "gaussian-learned")

    def encode(self, x):
        h = self.encoder(x)
        return self.mu(h), self.log_variance(h)

    def forward(self, x):
        if self.part == "decode":
            return self.decoder(x)
        mu, log_variance = self.encode(x)
        if self.part == "encode":
            return torch.cat([mu, log_variance], 1)
        pixels = torch.distributions.Normal(self.decoder(mu), self.pixels.log_sigma.exp())
        return pixels.log_prob(x).flatten(1).sum(1)


def translator_block(inputs, outputs, kernel, stride, slope):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, 1, bias=False),
                         nn.BatchNorm2d(outputs), nn.LeakyReLU(slope) if slope else nn.ReLU())


class Translator(nn.Module):
    """Of a task of models/translation.h: channels in and out."""

    CHANNELS = {"inpaint": (4, 3), "lowlight": (3, 3), "matte": (3, 1)}

    def __init__(self, image, task, base=3):
        super().__init__()
        widths = [base]
        while image >> len(widths) >= 4:
            widths.append(min(2 * widths[-1], 8 * base))
        inputs, outputs = self.CHANNELS[task]
        pairs = list(zip(widths, widths[1:]))
        self.first = nn.Conv2d(inputs, base, 3, 1, 1)
        self.down = nn.ModuleList(translator_block(a, b, 4, 2, 0.2) for a, b in pairs)
        self.middle = nn.ModuleList(translator_block(widths[-1], widths[-1], 3, 1, 0.2)
                                    for _ in range(2))
        self.up = nn.ModuleList(translator_block(a + b, a, 3, 1, 0) for a, b in pairs[::-1])
        self.last = nn.Conv2d(base, outputs, 3, 1, 1)

    def forward(self, x):
        x, features = functional.leaky_relu(self.first(x), 0.2), []
        for down in self.down:
            features.append(x)
            x = down(x)
        for middle in self.middle:
            x = middle(x)
        for up in self.up:
            x = up(torch.cat([functional.interpolate(x, scale_factor=2), features.pop()], 1))
        return torch.tanh(self.last(x))


def translation_critic(image, channels, base=3):
    """sndcgan_d of 8x8 too, and of images with other channels."""
    norm, width, size = nn.utils.spectral_norm, 2 * base, image // 2
    layers = [norm(nn.Conv2d(channels, width, 4, 2, 1)), nn.LeakyReLU(0.2)]
    while size > 4:
        layers += [norm(nn.Conv2d(width, width * 2, 4, 2, 1)), nn.LeakyReLU(0.2)]
        width, size = width * 2, size // 2
    return normalised(Net(*layers, norm(nn.Conv2d(width, 1, 4, 1, 0))), channels, image, image)


class FaceFeatures(nn.Module):
    def __init__(self, answers=5):
        super().__init__()
        layers, inputs = [], 3
        for width, kernel, stride in ((32, 4, 2), (32, 3, 1), (64, 4, 2), (64, 3, 1), (96, 4, 2),
                                      (96, 3, 1), (128, 4, 2), (24, 1, 1)):
            layers += [nn.Conv2d(inputs, width, kernel, stride, (kernel - 1) // 2, bias=False),
                       nn.BatchNorm2d(width), nn.LeakyReLU(0.1)]
            inputs = width
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * 24, 128),
                                  nn.BatchNorm1d(128))
        self.attributes = nn.Linear(128, answers)

    def forward(self, x):
        embedding = self.body(x)
        return torch.cat([embedding, self.attributes(embedding)], 1)


def seed001_g():
    return Net(nn.Linear(100, 8192, bias=False), nn.BatchNorm1d(8192, eps=1e-3), nn.LeakyReLU(0.3),
               nn.Unflatten(1, (512, 4, 4)),
               nn.ConvTranspose2d(512, 256, 4, 2, 1, bias=False), nn.BatchNorm2d(256, eps=1e-3),
               nn.LeakyReLU(0.3),
               nn.ConvTranspose2d(256, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128, eps=1e-3),
               nn.LeakyReLU(0.3), nn.ConvTranspose2d(128, 3, 4, 2, 1, bias=False), nn.Tanh())


def seed001_d():
    return Net(nn.Conv2d(3, 64, 4, 2, 1), nn.LeakyReLU(0.3), nn.Dropout(0.3),
               nn.Conv2d(64, 128, 4, 2, 1), nn.LeakyReLU(0.3), nn.Dropout(0.3),
               nn.Flatten(), nn.Linear(8192, 1))


def seed003_layers(flattened):
    return [nn.Conv2d(3, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(),
            nn.MaxPool2d(2), nn.Conv2d(64, 128, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(flattened, 128), nn.ReLU()]


def seed003_cnn():
    return Net(*seed003_layers(4608), nn.Linear(128, 1))


def face_vgg(image, base=3, dimensions=5):
    layers, inputs = [], 3
    for width in (base, 2 * base, 4 * base, 8 * base):
        for _ in range(2):
            layers += [nn.Conv2d(inputs, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width),
                       nn.ReLU()]
            inputs = width
        layers.append(nn.MaxPool2d(2))
    return Net(*layers, nn.Flatten(), nn.Dropout(0.5),
               nn.Linear(inputs * (image // 16) ** 2, dimensions))


def face_unit(inputs, outputs, stride):
    body = [nn.BatchNorm2d(inputs), nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs), nn.PReLU(outputs),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)]
    if stride == 1:
        return Block(body)
    return Block(body, [nn.Conv2d(inputs, outputs, 1, stride, bias=False),
                        nn.BatchNorm2d(outputs)])


def face_residual(image, base=3, dimensions=5):
    wide = 8 * base
    return Net(nn.Conv2d(3, base, 3, 2, 1, bias=False), nn.BatchNorm2d(base), nn.PReLU(base),
               face_unit(base, base, 1), face_unit(base, 2 * base, 2),
               face_unit(2 * base, 4 * base, 2), face_unit(4 * base, wide, 2),
               nn.BatchNorm2d(wide), nn.Dropout(0.5), nn.Flatten(),
               nn.Linear(wide * (image // 16) ** 2, dimensions, bias=False),
               nn.BatchNorm1d(dimensions))


def spectral():
    norm = nn.utils.spectral_norm
    net = Net(norm(nn.Conv2d(3, 3, 3)), nn.LeakyReLU(0.2), norm(nn.ConvTranspose2d(3, 3, 3)),
              nn.Tanh(), nn.Flatten(), norm(nn.Linear(75, 2)))
    return normalised(net, 3, 5, 5)


# Our name of a network; how it is made here; its input as PyTorch takes it. Every map of
# models/import_maps.h is here, at every size that the model has.
NETWORKS = {
    "dcgan16/8/g": (lambda: dcgan_g(16, 8), (3, 100, 1, 1)),
    "dcgan16/8/d": (lambda: dcgan_d(16, 8), (3, 3, 16, 16)),
    "dcgan32/8/g": (lambda: dcgan_g(32, 8), (2, 100, 1, 1)),
    "dcgan32/8/d": (lambda: dcgan_d(32, 8), (2, 3, 32, 32)),
    "dcgan64/16/g": (lambda: dcgan_g(64, 16), (2, 100, 1, 1)),
    "dcgan64/16/d": (lambda: dcgan_d(64, 16), (2, 3, 64, 64)),
    "dcgan128/8/g": (lambda: dcgan_g(128, 8), (2, 100, 1, 1)),
    "dcgan128/8/d": (lambda: dcgan_d(128, 8), (2, 3, 128, 128)),
    "resize32/8/g": (lambda: resize_g(32, 8), (2, 100, 1, 1)),
    "resize64/8/g": (lambda: resize_g(64, 8), (2, 100, 1, 1)),
    "resize128/4/g": (lambda: resize_g(128, 4), (2, 100, 1, 1)),
    "resize32/8/d": (lambda: dcgan_d(32, 8), (2, 3, 32, 32)),
    "sndcgan32/8/g": (lambda: dcgan_g(32, 8), (2, 100, 1, 1)),
    "sndcgan32/8/d": (lambda: sndcgan_d(32, 8), (2, 3, 32, 32)),
    "sndcgan64/8/d": (lambda: sndcgan_d(64, 8), (2, 3, 64, 64)),
    "sndcgan128/4/d": (lambda: sndcgan_d(128, 4), (2, 3, 128, 128)),
    "resnet32/8/g": (lambda: resnet_g(32, 8), (2, 128)),
    "resnet32/8/d": (lambda: resnet_d(32, 8), (2, 3, 32, 32)),
    "resnet64/4/g": (lambda: resnet_g(64, 4), (2, 128)),
    "resnet64/4/d": (lambda: resnet_d(64, 4), (2, 3, 64, 64)),
    "resnet128/2/g": (lambda: resnet_g(128, 2), (2, 128)),
    "resnet128/2/d": (lambda: resnet_d(128, 2), (2, 3, 128, 128)),
    "seed003/g": (lambda: dcgan_g(32, 64), (2, 100, 1, 1)),
    "seed003/d": (lambda: dcgan_d(32, 64), (2, 3, 32, 32)),
    "seed001/g": (seed001_g, (2, 100)),
    "seed001/d": (seed001_d, (2, 3, 32, 32)),
    "seed003_cnn": (seed003_cnn, (2, 3, 64, 64)),
    "face_cnn/seed003/32": (lambda: Net(*seed003_layers(512)), (2, 3, 32, 32)),
    "face_cnn/vgg/32": (lambda: face_vgg(32), (2, 3, 32, 32)),
    "face_cnn/vgg/64": (lambda: face_vgg(64), (2, 3, 64, 64)),
    "face_cnn/residual/32": (lambda: face_residual(32), (2, 3, 32, 32)),
    "face_cnn/residual/112": (lambda: face_residual(112), (2, 3, 112, 112)),
    "spectral": (spectral, (2, 3, 5, 5)),
    "face_features": (FaceFeatures, (2, 3, 64, 64)),
}


def add_conditional():
    for image in (8, 16, 32, 64, 128):
        NETWORKS[f"projection{image}/g"] = (partial(ConditionalGenerator, image), (4, 5))
        for mode in ("projection", "acgan"):  # acgan's generator is the same
            NETWORKS[f"{mode}{image}/d"] = (partial(conditional_d, mode, image),
                                            (4, 3, image, image))


def add_vaes():
    for image, likelihood in ((16, "gaussian"), (16, "bernoulli"), (32, "gaussian-learned"),
                              (64, "gaussian-learned"), (128, "gaussian-learned")):
        for part in ("encode", "decode", "likelihood"):
            if (likelihood, part) != ("bernoulli", "likelihood"):  # it has no weights of its own
                NETWORKS[f"vae{image}/{likelihood}/{part}"] = (
                    partial(Vae, image, likelihood, part),
                    (3, 5) if part == "decode" else (3, 3, image, image))
    for image, layer in ((16, 1), (16, 2), (32, 2), (64, 4), (128, 3)):
        NETWORKS[f"vae{image}/gaussian/dis{layer}"] = (
            partial(VaeGanDiscriminator, image, layer), (3, 3, image, image))


def add_translators():
    for image, task in ((16, "inpaint"), (16, "matte"), (32, "inpaint"), (64, "lowlight"),
                        (128, "inpaint")):
        inputs, outputs = Translator.CHANNELS[task]
        seen = outputs if task == "inpaint" else inputs + outputs
        NETWORKS[f"translation{image}/{task}/g"] = (partial(Translator, image, task),
                                                    (2, inputs, image, image))
        for part, size in (("global", image), ("local", image // 2)):
            NETWORKS[f"translation{image}/{task}/{part}"] = (
                partial(translation_critic, size, seen), (2, seen, size, size))


add_conditional()
add_vaes()
add_translators()
