#!/usr/bin/env python3
"""Times PyTorch on the classic DCGAN training step: the opponent of Imago's own step bench.

The networks are those of Radford, Metz & Chintala 2015 (arXiv 1511.06434) without convolution
biases. With no options this is the script most people would write: f32, contiguous NCHW, and a
generator pass that also computes the discriminator's weight gradients although nobody reads them.
The options turn on, one by one, what an expert would change. See README.md for a fair environment.

    python3 dcgan_step.py [--channels-last] [--freeze-d] [--threads N] [--json OUT]

One step: D on real, D on the detached fake, Adam on D; D on the fake, Adam on G. The time of a
step is wall clock, nothing is read back, and images/s counts the real images of the batch.
Runs on PyTorch 1.13 and later.
"""
import argparse
import json
import math
import os
import time

import torch
from torch import nn


def widths(base, image):
    """Channels from the 4x4 end to the image end, such as 512, 256, 128, 64 for 64x64 images."""
    levels = int(math.log2(image)) - 2
    if image != 4 << levels or levels < 1:
        raise SystemExit(f"--image must be a power of two of at least 8, not {image}")
    return [base << i for i in reversed(range(levels))]


def generator(z, base, image):
    layers, c_in = [], z
    for i, c in enumerate(widths(base, image)):
        stride, pad = (1, 0) if i == 0 else (2, 1)
        layers += [nn.ConvTranspose2d(c_in, c, 4, stride, pad, bias=False), nn.BatchNorm2d(c),
                   nn.ReLU(inplace=True)]
        c_in = c
    return nn.Sequential(*layers, nn.ConvTranspose2d(c_in, 3, 4, 2, 1, bias=False), nn.Tanh())


def discriminator(base, image):
    layers, c_in = [], 3
    for i, c in enumerate(reversed(widths(base, image))):
        layers.append(nn.Conv2d(c_in, c, 4, 2, 1, bias=False))
        if i > 0:
            layers.append(nn.BatchNorm2d(c))
        layers.append(nn.LeakyReLU(0.2, inplace=True))
        c_in = c
    return nn.Sequential(*layers, nn.Conv2d(c_in, 1, 4, 1, 0, bias=False), nn.Flatten(0))


def init_weights(module):
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


class Step:
    """Everything one training step needs; calling it runs the step."""

    def __init__(self, args):
        self.args = args
        self.g = generator(args.z, args.base, args.image).apply(init_weights)
        self.d = discriminator(args.base, args.image).apply(init_weights)
        self.real = torch.rand(args.batch, 3, args.image, args.image) * 2 - 1
        if args.channels_last:
            self.g = self.g.to(memory_format=torch.channels_last)
            self.d = self.d.to(memory_format=torch.channels_last)
            self.real = self.real.contiguous(memory_format=torch.channels_last)
        adam = dict(lr=2e-4, betas=(0.5, 0.999))
        self.opt_g = torch.optim.Adam(self.g.parameters(), **adam)
        self.opt_d = torch.optim.Adam(self.d.parameters(), **adam)
        self.bce = nn.BCEWithLogitsLoss()
        self.ones, self.zeros = torch.ones(args.batch), torch.zeros(args.batch)

    def __call__(self):
        args = self.args
        self.opt_d.zero_grad()
        self.bce(self.d(self.real), self.ones).backward()
        fake = self.g(torch.randn(args.batch, args.z, 1, 1))
        self.bce(self.d(fake.detach()), self.zeros).backward()
        self.opt_d.step()

        self.opt_g.zero_grad()
        if args.freeze_d:
            self.d.requires_grad_(False)
        loss_g = self.bce(self.d(fake), self.ones)
        loss_g.backward()
        if args.freeze_d:
            self.d.requires_grad_(True)
        self.opt_g.step()
        return loss_g


def quantile(ordered, q):
    return ordered[min(len(ordered) - 1, round(q * (len(ordered) - 1)))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels-last", action="store_true", help="keep tensors as NHWC")
    parser.add_argument("--freeze-d", action="store_true",
                        help="skip D's weight gradients in the generator pass")
    parser.add_argument("--threads", type=int, default=0, help="default: every core")
    parser.add_argument("--steps", type=int, default=30, help="timed steps")
    parser.add_argument("--warmup", type=int, default=3, help="steps before timing starts")
    parser.add_argument("--base", type=int, default=64, help="channels next to the image")
    parser.add_argument("--image", type=int, default=64, help="height and width, a power of two")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--z", type=int, default=100)
    parser.add_argument("--json", metavar="OUT", help="also write the result to this file")
    args = parser.parse_args()
    if args.steps < 1 or args.warmup < 0 or min(args.base, args.batch, args.z) < 1:
        parser.error("--steps, --base, --batch and --z must be positive, --warmup not negative")

    torch.set_num_threads(args.threads or len(os.sched_getaffinity(0)))
    torch.manual_seed(1)
    step = Step(args)
    for _ in range(args.warmup):
        step()
    times = []
    for _ in range(args.steps):
        start = time.perf_counter()
        loss = step()
        times.append((time.perf_counter() - start) * 1e3)
    if not math.isfinite(loss.item()):
        raise SystemExit(f"the generator loss became {loss.item()}; the times mean nothing")

    times.sort()
    result = {
        "bench": "dcgan_step", "torch": torch.__version__, "threads": torch.get_num_threads(),
        "channels_last": args.channels_last, "freeze_d": args.freeze_d,
        "tuned_malloc": "MALLOC_MMAP_THRESHOLD_" in os.environ,
        "base": args.base, "image": args.image, "batch": args.batch, "z": args.z,
        "steps": args.steps, "ms_min": times[0], "ms_p10": quantile(times, 0.1),
        "ms_median": quantile(times, 0.5), "ms_p90": quantile(times, 0.9),
    }
    result["images_per_s"] = args.batch / result["ms_median"] * 1e3
    print(f"torch {result['torch']}, {result['threads']} threads, "
          f"{'channels_last' if args.channels_last else 'NCHW'}, "
          f"D {'frozen' if args.freeze_d else 'not frozen'} in the G pass, "
          f"malloc {'tuned' if result['tuned_malloc'] else 'default'}")
    print(f"DCGAN {args.image}x{args.image}, base {args.base}, batch {args.batch}, f32: "
          f"median {result['ms_median']:.1f} ms, p10 {result['ms_p10']:.1f}, "
          f"p90 {result['ms_p90']:.1f}, min {result['ms_min']:.1f} "
          f"over {args.steps} steps; {result['images_per_s']:.0f} images/s")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
