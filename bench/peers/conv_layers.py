#!/usr/bin/env python3
"""Times PyTorch on each convolution of the classic DCGAN 64x64: the opponent of bench_conv2d.

For every layer: forward, gradient with respect to the input, gradient with respect to the weight,
each alone. A layer of the generator is a transposed convolution, so its forward does the work of
its mirror's input gradient; GFLOP/s count the multiplies and adds of the convolution both share
(2 N P Q K R S C), the same number for all three passes.

    python3 conv_layers.py [--channels-last] [--layers D2,G4] [--threads N] [--json OUT]

Operands sit in the layout under test before the clock starts. The median, p10 and minimum are
wall-clock times. Runs on PyTorch 1.13 and later. See README.md for a fair environment.
"""
import argparse
import json
import os
import time

import torch

# name: (input channels, output channels, input height, output height, stride, padding); k = 4.
LAYERS = {
    "D1": (3, 64, 64, 32, 2, 1), "D2": (64, 128, 32, 16, 2, 1), "D3": (128, 256, 16, 8, 2, 1),
    "D4": (256, 512, 8, 4, 2, 1), "D5": (512, 1, 4, 1, 1, 0),
    "G1": (100, 512, 1, 4, 1, 0), "G2": (512, 256, 4, 8, 2, 1), "G3": (256, 128, 8, 16, 2, 1),
    "G4": (128, 64, 16, 32, 2, 1), "G5": (64, 3, 32, 64, 2, 1),
}
PASSES = ("forward", "input_grad", "weight_grad")


def operands(name, batch, channels_last):
    """x, dy and w of a layer, and whether it is a transposed convolution."""
    c_in, c_out, h_in, h_out, _, _ = LAYERS[name]
    transposed = name.startswith("G")
    layout = torch.channels_last if channels_last else torch.contiguous_format
    shapes = ((batch, c_in, h_in, h_in), (batch, c_out, h_out, h_out),
              (c_in, c_out, 4, 4) if transposed else (c_out, c_in, 4, 4))
    x, dy, w = (torch.randn(shape).contiguous(memory_format=layout) for shape in shapes)
    return x, dy, w * 0.02, transposed


def flops(name, batch):
    c_in, c_out, h_in, h_out, _, _ = LAYERS[name]
    small = min(h_in, h_out)  # the convolution's output side, for a G layer its input
    return 2.0 * batch * small * small * 16 * c_in * c_out


def make_pass(which, x, dy, w, stride, pad, transposed):
    """A function of no arguments that runs one pass through the operator autograd would call."""
    args = [stride, stride], [pad, pad], [1, 1], transposed, [0, 0], 1
    if which == "forward":
        return lambda: torch.ops.aten.convolution(x, w, None, *args)
    mask = [which == "input_grad", which == "weight_grad", False]
    index = mask.index(True)
    return lambda: torch.ops.aten.convolution_backward(dy, x, w, [0], *args, mask)[index]


def verify(name, x, dy, w, stride, pad, transposed):
    """The three passes of one layer must be adjoint to each other: <y, dy> = <x, dx> = <w, dw>."""
    y, dx, dw = (make_pass(p, x, dy, w, stride, pad, transposed)() for p in PASSES)
    products = [(a.double() * b.double()).sum().item() for a, b in ((y, dy), (x, dx), (w, dw))]
    scale = (y.double() * dy.double()).pow(2).sum().sqrt().item()
    if not max(products) - min(products) <= 1e-4 * scale:
        raise SystemExit(f"{name}: the passes disagree, inner products {products}, scale {scale}")


def measure(run, rounds, seconds):
    """Sorted times in ms: at least three rounds, at most `rounds`, about `seconds` in all."""
    run()
    run()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or (len(times) < rounds and time.perf_counter() < end):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return sorted(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels-last", action="store_true", help="keep tensors as NHWC")
    parser.add_argument("--layers", default=",".join(LAYERS), help="such as D2,G4; default: all")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=0, help="default: every core")
    parser.add_argument("--rounds", type=int, default=30, help="most rounds for one pass")
    parser.add_argument("--seconds", type=float, default=2.0, help="most time for one pass")
    parser.add_argument("--json", metavar="OUT", help="also write the results to this file")
    args = parser.parse_args()
    names = args.layers.split(",")
    unknown = [name for name in names if name not in LAYERS]
    if unknown or args.batch < 1:
        parser.error(f"unknown layers {unknown}" if unknown else "--batch must be positive")

    torch.set_num_threads(args.threads or len(os.sched_getaffinity(0)))
    torch.manual_seed(1)
    head = {"bench": "conv_layers", "torch": torch.__version__, "threads": torch.get_num_threads(),
            "channels_last": args.channels_last, "batch": args.batch,
            "tuned_malloc": "MALLOC_MMAP_THRESHOLD_" in os.environ}
    print(f"torch {head['torch']}, {head['threads']} threads, "
          f"{'channels_last' if args.channels_last else 'NCHW'}, batch {args.batch}, f32, "
          f"malloc {'tuned' if head['tuned_malloc'] else 'default'}")
    print("layer  pass         median ms   p10 ms   min ms   GFLOP/s (median)")
    rows = []
    with torch.no_grad():
        for name in names:
            x, dy, w, transposed = operands(name, args.batch, args.channels_last)
            stride, pad = LAYERS[name][4:]
            verify(name, x, dy, w, stride, pad, transposed)
            for which in PASSES:
                run = make_pass(which, x, dy, w, stride, pad, transposed)
                times = measure(run, args.rounds, args.seconds)
                row = {"layer": name, "pass": which, "rounds": len(times),
                       "ms_median": times[len(times) // 2], "ms_p10": times[len(times) // 10],
                       "ms_min": times[0]}
                row["gflops"] = flops(name, args.batch) / row["ms_median"] / 1e6
                rows.append(row)
                print(f"{name:5}  {which:11}  {row['ms_median']:9.3f}  {row['ms_p10']:7.3f}  "
                      f"{row['ms_min']:7.3f}  {row['gflops']:9.1f}", flush=True)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({**head, "rows": rows}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
