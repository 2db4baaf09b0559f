#!/usr/bin/env python3
"""Times PyTorch on the classic DCGAN training step: the opponent of Imago's own step bench.

The networks are those of Radford, Metz & Chintala 2015 (arXiv 1511.06434) without convolution
biases. With no options this is the script most people would write: contiguous NCHW, PyTorch's
default precision, and a generator pass that also computes the discriminator's weight gradients
although nobody reads them. The options turn on, one by one, what an expert would change. See
README.md for a fair environment.

    python3 dcgan_step.py [--channels-last] [--freeze-d] [--threads N] [--json OUT]
    python3 dcgan_step.py --device cuda [--precision default|f32|tf32|amp] [--channels-last]
        [--freeze-d] [--fused-adam] [--compile | --graph] [--steps 500]

One step: D on real, D on the detached fake, Adam on D; D on the fake, Adam on G. The time of a
step is wall clock, nothing is read back, and images/s counts the real images of the batch. On a
GPU the host runs ahead, so ms_mean, the wall clock of all steps over their number, is the figure;
the quantiles are from CUDA events between the steps. Runs on PyTorch 1.13 and later (--compile:
2.0), --precision f32 is strict, default leaves PyTorch's TF32 switches as they are (printed).
"""
import math
import time

import torch
from torch import nn

import common


def widths(base, image):
    """Channels from the 4x4 end to the image end, such as 512, 256, 128, 64 for 64x64 images."""
    return [base << i for i in reversed(range(int(math.log2(image)) - 2))]


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
    """Everything one training step needs; calling it runs the step and returns G's loss."""

    def __init__(self, args):
        self.args = args
        layout = torch.channels_last if args.channels_last else torch.contiguous_format
        place = {"device": args.device, "memory_format": layout}
        self.g = generator(args.z, args.base, args.image).apply(init_weights).to(**place)
        self.d = discriminator(args.base, args.image).apply(init_weights).to(**place)
        self.real = (torch.rand(args.batch, 3, args.image, args.image) * 2 - 1).to(**place)
        adam = {"lr": 2e-4, "betas": (0.5, 0.999)}
        if args.fused_adam:
            adam["fused"] = True
        if args.graph:
            adam["capturable"] = True
        self.opt_g = torch.optim.Adam(self.g.parameters(), **adam)
        self.opt_d = torch.optim.Adam(self.d.parameters(), **adam)
        self.bce = nn.BCEWithLogitsLoss()
        self.ones = torch.ones(args.batch, device=args.device)
        self.zeros = torch.zeros(args.batch, device=args.device)
        # What the step calls; the optimisers and `freeze` keep the modules themselves.
        self.run_g, self.run_d = self.g, self.d
        if args.compile:
            self.run_g = torch.compile(self.g, mode="max-autotune")
            self.run_d = torch.compile(self.d, mode="max-autotune")

    def loss_d(self, images, target):
        with self.autocast():
            return self.bce(self.run_d(images), target)

    def autocast(self):
        return torch.autocast(self.args.device, torch.bfloat16, self.args.precision == "amp")

    def __call__(self):
        args = self.args
        if args.compile:
            torch.compiler.cudagraph_mark_step_begin()
        self.opt_d.zero_grad(set_to_none=True)
        self.opt_g.zero_grad(set_to_none=True)
        self.loss_d(self.real, self.ones).backward()
        noise = torch.randn(args.batch, args.z, 1, 1, device=args.device)
        with self.autocast():
            fake = self.run_g(noise)
        self.loss_d(fake.detach(), self.zeros).backward()
        self.opt_d.step()

        if args.freeze_d:
            self.d.requires_grad_(False)
        loss_g = self.loss_d(fake, self.ones)
        loss_g.backward()
        if args.freeze_d:
            self.d.requires_grad_(True)
        self.opt_g.step()
        return loss_g


class GraphedStep:
    """The step captured in one CUDA graph; calling it replays the graph."""

    def __init__(self, step, warmup):
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(warmup):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        self.step = step  # owns what the graph reads and writes
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.loss = step()

    def __call__(self):
        self.graph.replay()
        return self.loss


def time_cpu(step, steps):
    """Wall clock of each step in ms, and the last loss."""
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        loss = step()
        times.append((time.perf_counter() - start) * 1e3)
    return {"ms_mean": sum(times) / steps, **common.spread(times)}, loss


def time_cuda(step, steps):
    """Wall clock over all steps, GPU time between them, both in ms; and the last loss."""
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(steps + 1)]
    torch.cuda.synchronize()
    start = time.perf_counter()
    marks[0].record()
    for mark in marks[1:]:
        loss = step()
        mark.record()
    torch.cuda.synchronize()
    mean = (time.perf_counter() - start) * 1e3 / steps
    each = [a.elapsed_time(b) for a, b in zip(marks, marks[1:])]
    return {"ms_mean": mean, **common.spread(each)}, loss


def options():
    parser = common.Parser(description=__doc__.splitlines()[0])
    common.add_device_options(parser)
    parser.add_argument("--precision", choices=("default", "f32", "tf32", "amp"), default="default",
                        help="f32: strict; amp: autocast to bf16")
    parser.add_argument("--channels-last", action="store_true", help="keep tensors as NHWC")
    parser.add_argument("--freeze-d", action="store_true",
                        help="skip D's weight gradients in the generator pass")
    parser.add_argument("--fused-adam", action="store_true", help="PyTorch's fused Adam (GPU)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--compile", action="store_true", help="torch.compile, mode max-autotune")
    how.add_argument("--graph", action="store_true", help="the whole step in one CUDA graph (GPU)")
    parser.add_argument("--steps", type=int, default=0, help="timed steps; default 30, GPU 500")
    parser.add_argument("--warmup", type=int, default=3, help="steps before timing starts")
    parser.add_argument("--base", type=int, default=64, help="channels next to the image")
    parser.add_argument("--image", type=int, default=64, help="height and width, a power of two")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--z", type=int, default=100)
    args = parser.parse_args()
    args.steps = args.steps or (500 if args.device == "cuda" else 30)
    if min(args.steps, args.warmup, args.base, args.batch, args.z) < 1:
        parser.error("--steps, --warmup, --base, --batch and --z must be positive")
    if args.image < 8 or args.image & (args.image - 1):
        parser.error(f"--image must be a power of two of at least 8, not {args.image}")
    if args.device == "cpu" and (args.graph or args.fused_adam or args.precision == "tf32"):
        parser.error("--graph, --fused-adam and --precision tf32 need --device cuda")
    if args.compile and not hasattr(torch, "compile"):
        parser.error(f"--compile needs PyTorch 2, not {torch.__version__}")
    return args, parser


def main():
    args, parser = options()
    common.set_up(args, parser)
    if args.precision != "default":
        common.set_tf32(args.precision == "tf32")
    step = Step(args)
    if args.graph:
        step = GraphedStep(step, args.warmup)
    for _ in range(args.warmup):
        step()
    times, loss = (time_cuda if args.device == "cuda" else time_cpu)(step, args.steps)
    if not math.isfinite(loss.item()):
        raise SystemExit(f"the generator loss became {loss.item()}; the times mean nothing")

    chosen = ("precision", "channels_last", "freeze_d", "fused_adam", "compile", "graph", "base",
              "image", "batch", "z", "steps")
    result = {"bench": "dcgan_step", **common.setting(args.device),
              **{name: getattr(args, name) for name in chosen}, **times}
    figure = result["ms_mean" if args.device == "cuda" else "ms_median"]
    result["images_per_s"] = args.batch / figure * 1e3
    how = "one CUDA graph" if args.graph else "torch.compile" if args.compile else "eager"
    print(f"{common.describe(result)}; {how}, {'fused ' if args.fused_adam else ''}Adam, "
          f"{'channels_last' if args.channels_last else 'NCHW'}, "
          f"D {'frozen' if args.freeze_d else 'not frozen'} in the G pass")
    print(f"DCGAN {args.image}x{args.image}, base {args.base}, batch {args.batch}, "
          f"precision {args.precision}: mean {times['ms_mean']:.3f} ms, "
          f"median {times['ms_median']:.3f}, p10 {times['ms_p10']:.3f}, p90 {times['ms_p90']:.3f}, "
          f"min {times['ms_min']:.3f} over {args.steps} steps; "
          f"{result['images_per_s']:.0f} images/s")
    common.write_json(args.json, result)


if __name__ == "__main__":
    main()
