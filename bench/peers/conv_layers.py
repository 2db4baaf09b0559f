#!/usr/bin/env python3
"""Times PyTorch on each convolution of the classic DCGAN 64x64: the opponent of bench_conv.

For every layer: forward, gradient with respect to the input, gradient with respect to the weight,
each alone. A layer of the generator is a transposed convolution, so its forward does the work of
its mirror's input gradient; GFLOP/s count the multiplies and adds of the convolution both share
(2 N P Q K R S C), the same number for all three passes.

    python3 conv_layers.py [--channels-last] [--layers D2,G4] [--threads N] [--json OUT]
    python3 conv_layers.py --device cuda --channels-last [--precision f32,tf32,bf16] [--hot]

Every pass is compared with f64 on the same device before it is timed. Operands sit in the layout
under test before the clock starts. On the CPU a time is wall clock. On a GPU it is that of CUDA
events around one replay of a graph of 20 launches, divided by 20; the launches take turns with
enough copies of the operands (128 MB and more) to find them outside the L2 cache, or with --hot
all use one. Runs on PyTorch 1.13 and later. See README.md for a fair environment.
"""
import time

import torch

import common

# name: (input channels, output channels, input height, output height, stride, padding); k = 4.
LAYERS = {
    "D1": (3, 64, 64, 32, 2, 1), "D2": (64, 128, 32, 16, 2, 1), "D3": (128, 256, 16, 8, 2, 1),
    "D4": (256, 512, 8, 4, 2, 1), "D5": (512, 1, 4, 1, 1, 0),
    "G1": (100, 512, 1, 4, 1, 0), "G2": (512, 256, 4, 8, 2, 1), "G3": (256, 128, 8, 16, 2, 1),
    "G4": (128, 64, 16, 32, 2, 1), "G5": (64, 3, 32, 64, 2, 1),
}
PASSES = ("forward", "input_grad", "weight_grad")
# Largest ||result - f64|| / ||f64||. An f32 that is secretly TF32 (3e-4) does not pass.
BOUNDS = {"f32": 3e-5, "tf32": 2e-3, "bf16": 1e-2}
LAUNCHES = 20
COLD_BYTES = 128 << 20


class Layer:
    """One convolution with operands x, dy and w, all of one dtype."""

    def __init__(self, name, batch, device):
        c_in, c_out, h_in, h_out, stride, pad = LAYERS[name]
        transposed = name.startswith("G")
        self.arguments = [stride, stride], [pad, pad], [1, 1], transposed, [0, 0], 1
        self.x = torch.randn(batch, c_in, h_in, h_in, device=device)
        self.dy = torch.randn(batch, c_out, h_out, h_out, device=device)
        shape = (c_in, c_out, 4, 4) if transposed else (c_out, c_in, 4, 4)
        self.w = torch.randn(shape, device=device) * 0.02
        small = min(h_in, h_out)  # the convolution's output side, for a G layer its input
        self.flops = 2.0 * batch * small * small * 16 * c_in * c_out

    def copy(self, dtype, layout):
        result = object.__new__(Layer)
        result.__dict__ = dict(self.__dict__)
        for name in ("x", "dy", "w"):
            tensor = getattr(self, name).to(dtype, copy=True)
            setattr(result, name, tensor.contiguous(memory_format=layout))
        return result

    def bytes(self):
        """Every operand of a pass once: the same set for all three."""
        return sum(t.numel() * t.element_size() for t in (self.x, self.dy, self.w))

    def run(self, which):
        """One pass, through the operator that autograd would call."""
        if which == "forward":
            return torch.ops.aten.convolution(self.x, self.w, None, *self.arguments)
        mask = [which == "input_grad", which == "weight_grad", False]
        results = torch.ops.aten.convolution_backward(self.dy, self.x, self.w, [0],
                                                      *self.arguments, mask)
        return results[mask.index(True)]


def verify(name, layer, exact, precision):
    """The passes must be those of f64, which must be adjoint: <y, dy> = <x, dx> = <w, dw>."""
    results = [exact.run(which) for which in PASSES]
    operands = (exact.dy, exact.x, exact.w)
    products = [(a * b).sum().item() for a, b in zip(results, operands)]
    scale = (results[0] * exact.dy).pow(2).sum().sqrt().item()
    if not max(products) - min(products) <= 1e-9 * scale:
        raise SystemExit(f"{name}: the passes in f64 disagree, inner products {products}")
    for which, want in zip(PASSES, results):
        error = ((layer.run(which).double() - want).norm() / want.norm()).item()
        if not error <= BOUNDS[precision]:
            raise SystemExit(f"{name} {which} in {precision}: error {error:.1e} against f64, "
                             f"more than {BOUNDS[precision]:.0e}")


def measure_cpu(layer, which, args):
    """Times in ms: at least three rounds, at most --rounds, about --seconds in all."""
    times, end = [], time.perf_counter() + args.seconds
    while len(times) < 3 or (len(times) < args.rounds and time.perf_counter() < end):
        start = time.perf_counter()
        layer.run(which)
        times.append((time.perf_counter() - start) * 1e3)
    return times


def measure_cuda(layers, which, args):
    """Times in ms of one launch, from --rounds replays of a graph that goes through `layers`."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):  # cuDNN chooses its algorithms before the capture
        for layer in layers:
            layer.run(which)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        # Results stay alive, so that each launch writes to memory of its own.
        results = [layers[i % len(layers)].run(which) for i in range(LAUNCHES)]
    events = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True))
              for _ in range(args.rounds)]
    for _ in range(3):
        graph.replay()
    for start, stop in events:
        start.record()
        graph.replay()
        stop.record()
    torch.cuda.synchronize()
    del results
    return [start.elapsed_time(stop) / LAUNCHES for start, stop in events]


def bench_layer(name, precision, args):
    """The rows of one layer in one precision."""
    common.set_tf32(precision == "tf32")
    layout = torch.channels_last if args.channels_last else torch.contiguous_format
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    source = Layer(name, args.batch, args.device)
    layer = source.copy(dtype, layout)
    verify(name, layer, layer.copy(torch.float64, torch.contiguous_format), precision)
    cold = args.device == "cuda" and not args.hot
    copies = min(LAUNCHES, -(-COLD_BYTES // layer.bytes())) if cold else 1
    layers = [layer] + [layer.copy(dtype, layout) for _ in range(copies - 1)]
    for which in PASSES:
        if args.device == "cuda":
            times = measure_cuda(layers, which, args)
        else:
            times = measure_cpu(layer, which, args)
        row = {"layer": name, "pass": which, "precision": precision, "copies": copies,
               "rounds": len(times), **common.spread(times)}
        row["gflops"] = layer.flops / row["ms_median"] / 1e6
        row["gbps"] = layer.bytes() / row["ms_median"] / 1e6
        yield row


def options():
    parser = common.Parser(description=__doc__.splitlines()[0])
    common.add_device_options(parser)
    parser.add_argument("--channels-last", action="store_true", help="keep tensors as NHWC")
    parser.add_argument("--precision", default="f32",
                        help="of f32,tf32,bf16; default: f32 (strict)")
    parser.add_argument("--layers", default=",".join(LAYERS), help="such as D2,G4; default: all")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=30, help="rounds of one pass, CPU: at most")
    parser.add_argument("--seconds", type=float, default=2.0, help="most time for one pass (CPU)")
    parser.add_argument("--hot", action="store_true", help="one copy of the operands (GPU)")
    args = parser.parse_args()
    for flag, known in (("layers", LAYERS), ("precision", BOUNDS)):
        names = getattr(args, flag).split(",")
        unknown = [name for name in names if name not in known]
        if unknown:
            parser.error(f"--{flag} takes {','.join(known)}, not {','.join(unknown)}")
        setattr(args, flag, names)
    if "tf32" in args.precision and args.device == "cpu":
        parser.error("--precision tf32 needs --device cuda")
    if min(args.batch, args.rounds) < 1:
        parser.error("--batch and --rounds must be positive")
    common.set_up(args, parser)
    return args


def main():
    args = options()
    head = {"bench": "conv_layers", **common.setting(args.device),
            "channels_last": args.channels_last, "batch": args.batch, "hot": args.hot}
    head.pop("tf32", None)  # a row says its precision
    print(f"torch {head['torch']} on {head.get('gpu', str(head['threads']) + ' threads')}, "
          f"{'channels_last' if args.channels_last else 'NCHW'}, batch {args.batch}, "
          f"malloc {'tuned' if head['tuned_malloc'] else 'default'}")
    print("layer  pass         precision  median ms   p10 ms   p90 ms   GFLOP/s (median)")
    rows = []
    with torch.no_grad():
        for name in args.layers:
            for precision in args.precision:
                for row in bench_layer(name, precision, args):
                    rows.append(row)
                    print(f"{name:5}  {row['pass']:11}  {precision:9}  {row['ms_median']:9.4f}  "
                          f"{row['ms_p10']:7.4f}  {row['ms_p90']:7.4f}  {row['gflops']:9.1f}",
                          flush=True)
    common.write_json(args.json, {**head, "rows": rows})


if __name__ == "__main__":
    main()
