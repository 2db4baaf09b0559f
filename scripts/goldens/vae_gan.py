"""tests/goldens/vae_gan_steps.safetensors: four training steps of two small VAE-GANs.

Names, shapes and the order of a step are in make_goldens.py.
"""
import torch
from torch import nn
from torch.nn import functional as F

from . import vae
from .common import Random, nhwc, numpy

LR, BETAS, EPS, STEPS = 2e-3, (0.5, 0.999), 1e-8, 4
IMAGE, BASE, LATENT, BATCH, SLOPE = vae.IMAGE, vae.BASE, vae.LATENT, 3, 0.2

# Of each run: the likelihood of features, what sigma starts with, beta, warm-up in steps, the layer
# of the features, the weight of the GAN's loss.
RUNS = {"given": ("gaussian", 0.9, 1.0, 2, 2, 12.0),
        "learned": ("gaussian-learned", 0.7, 2.0, 3, 1, 30.0)}

# Imago's names of the layers of vae.Vae.
OURS = {"conv1": "encoder.layers.0.conv", "conv2": "encoder.layers.1.conv", "mu": "mu",
        "log_variance": "log_variance", "dense": "decoder.layers.0",
        "up1": "decoder.layers.3.conv", "up2": "decoder.layers.4", "log_sigma": "pixels.log_sigma"}
DECODER = ("dense", "up1", "up2")


class Discriminator(nn.Module):
    """Named as in Imago: two nn::Sequential, each of "layers"."""

    def __init__(self, feature_layer):
        super().__init__()
        first = [nn.Conv2d(3, BASE, 4, 2, 1), nn.LeakyReLU(SLOPE)]
        second = [nn.Conv2d(BASE, 2 * BASE, 4, 2, 1, bias=False), nn.GroupNorm(1, 2 * BASE),
                  nn.LeakyReLU(SLOPE)]
        score = [nn.Conv2d(2 * BASE, 1, 4), nn.Flatten()]
        seen = first + second if feature_layer == 2 else first
        rest = score if feature_layer == 2 else second + score
        self.features = nn.ModuleDict({"layers": nn.Sequential(*seen)})
        self.head = nn.ModuleDict({"layers": nn.Sequential(*rest)})

    def forward(self, x):
        """The features and the logits (N, 1)."""
        features = self.features["layers"](x)
        return features, self.head["layers"](features)


def initialise(d, rng):
    """Values that f32 holds exactly, so that both sides start from the same point."""
    with torch.no_grad():
        for module in d.modules():
            for p in module.parameters(recurse=False):
                if p.dim() > 1:
                    p.copy_(rng.normal(*p.shape, std=0.2).float())
                elif isinstance(module, nn.GroupNorm) and p is module.weight:
                    p.copy_(rng.normal(*p.shape, mean=1.0, std=0.1).float())
                else:
                    p.copy_(rng.normal(*p.shape, std=0.1).float())


def snapshot(prefix, net, d):
    tensors = {}
    for name, t in net.state_dict().items():
        layer, _, tensor = name.partition(".")
        tensors[f"{prefix}.vae.{OURS[layer]}{'.' + tensor if tensor else ''}"] = numpy(nhwc(t))
    for name, t in d.state_dict().items():
        tensors[f"{prefix}.d.{name}"] = numpy(nhwc(t))
    return tensors


def norms(gradient):
    """The sum over images of the norm of each one's gradient."""
    return gradient.flatten(1).norm(dim=1).sum()


def train(out, rng, run, images, noise):
    likelihood, sigma, beta, warmup, feature_layer, weight = RUNS[run]
    net, d = vae.Vae(likelihood, sigma).double(), Discriminator(feature_layer).double()
    vae.initialise(net, rng)
    initialise(d, rng)
    out.update({name: t.astype("float32")
                for name, t in snapshot(f"{run}.init", net, d).items()})
    parameters = dict(net.named_parameters())
    decoder = [name for name in parameters if name.partition(".")[0] in DECODER]
    encoder = [name for name in parameters if name not in decoder and name != "log_sigma"]
    opt = torch.optim.Adam(net.parameters(), lr=LR, betas=BETAS, eps=EPS)
    opt_d = torch.optim.Adam(d.parameters(), lr=LR, betas=BETAS, eps=EPS)
    for i in range(STEPS):
        x, eps = images[i].double(), noise[i].double()
        mu, log_variance = net.encode(x)
        q = torch.distributions.Normal(mu, (log_variance / 2).exp())
        prior = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
        kl = torch.distributions.kl_divergence(q, prior)
        reconstructed = net.decode(mu + q.scale * eps[:BATCH])
        drawn = net.decode(eps[BATCH:])
        (seen, real), (seen_again, fake), (_, fake_drawn) = d(x), d(reconstructed), d(drawn)

        on_features = torch.distributions.Normal(seen_again, net.log_sigma.exp())
        reconstruction = -on_features.log_prob(seen.detach()).flatten(1).sum(1).mean()
        loss_gan = F.softplus(-fake).mean() + F.softplus(-fake_drawn).mean()
        loss_d = (F.softplus(-real).mean() + F.softplus(fake).mean()
                  + F.softplus(fake_drawn).mean())
        paid = beta * min(1.0, (i + 1) / warmup) * kl.sum(1).mean()

        # Each network has the gradients of its own loss, and of no other.
        def set_gradients(loss, leaves):
            for leaf, g in zip(leaves, torch.autograd.grad(loss, leaves, retain_graph=True)):
                leaf.grad = g

        set_gradients(reconstruction + paid, [parameters[name] for name in encoder])
        set_gradients(reconstruction + weight * loss_gan, [parameters[name] for name in decoder])
        if likelihood == "gaussian-learned":
            set_gradients(reconstruction, [net.log_sigma])
        set_gradients(loss_d, list(d.parameters()))
        pull = torch.autograd.grad(reconstruction, [reconstructed], retain_graph=True)[0]
        pulls = torch.autograd.grad(weight * loss_gan, [reconstructed, drawn])

        step = f"{run}.step{i + 1}."
        values = dict(loss=reconstruction + paid + weight * loss_gan,
                      reconstruction=reconstruction, kl=kl.sum(1).mean(), loss_d=loss_d,
                      loss_gan=loss_gan, logits_real=real, logits_reconstructed=fake,
                      logits_drawn=fake_drawn, pull_features=norms(pull),
                      pull_gan=(norms(pulls[0]) + norms(pulls[1])) / 2)
        out.update({step + name: numpy(t) for name, t in values.items()})
        opt.step()
        opt_d.step()
    out.update(snapshot(f"{run}.last", net, d))


def make():
    out, rng = {}, Random(23)
    images = rng.uniform(STEPS, BATCH, 3, IMAGE, IMAGE).float()
    noise = rng.normal(STEPS, 2 * BATCH, LATENT).float()
    for run in RUNS:
        train(out, rng, run, images, noise)
    out["images"], out["noise"] = numpy(images.permute(0, 1, 3, 4, 2)), numpy(noise)
    settings = dict(lr=LR, beta1=BETAS[0], beta2=BETAS[1], eps=EPS, steps=STEPS, image=IMAGE,
                    base=BASE, latent=LATENT, batch=BATCH, slope=SLOPE)
    return out, {key: repr(value) for key, value in settings.items()}
