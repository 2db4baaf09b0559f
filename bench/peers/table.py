#!/usr/bin/env python3
"""Prints the results of scripts/gpu_check.sh: Imago's rows next to the peer's.

    python3 table.py DIR

Reads conv_*.json (bench_conv), ops_*.json (bench_ops), step.json (bench_step), peer_conv.json and
peer_step_*.json in DIR, as far as they are there. Needs no PyTorch.
"""
import json
import sys
from pathlib import Path


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def bench_rows(path):
    """(name without Google Benchmark's suffix, row) of each row that was timed."""
    for row in load(path)["benchmarks"]:
        if "median_ms" in row:
            yield row["name"].removesuffix("/manual_time").split("/iterations:")[0], row


def peer_conv(folder):
    """{(layer, pass, precision): median in ms}. f32 stands for strict f32."""
    path = folder / "peer_conv.json"
    rows = load(path)["rows"] if path.exists() else []
    return {(row["layer"], row["pass"], row["precision"]): row["ms_median"] for row in rows}


def mirrored(layer, which):
    """The rows of bench_conv stand for D's layers; G1, which has no mirror, is one from its end."""
    if layer.startswith("G1"):
        return "G1", {"forward": "input_grad", "input_grad": "forward"}.get(which, which)
    return layer.split("/")[0], which


def print_convolutions(folder):
    peer = peer_conv(folder)
    shown = set()
    print(f"{'convolution':44} {'ms':>9} {'GFLOP/s':>9} {'% floor':>8} {'PyTorch ms':>11} "
          f"{'ratio':>6}")
    for path in sorted(folder.glob("conv_*.json")):
        for name, row in bench_rows(path):
            layer, which, engine, dtype = name.rsplit("/", 3)
            key = (*mirrored(layer, which), dtype)
            theirs = peer.get(key)
            shown.add(key)
            ratio = f"{theirs:11.4f} {theirs / row['median_ms']:6.2f}" if theirs else f"{'–':>11}"
            print(f"{name:44} {row['median_ms']:9.4f} {row['GFLOP/s']:9.0f} "
                  f"{row.get('%floor', float('nan')):8.1f} {ratio}")
    for key, theirs in peer.items():
        if key not in shown:
            name = "/".join(("PyTorch", *key))
            print(f"{name:44} {'–':>9} {'–':>9} {'–':>8} {theirs:11.4f}")


def print_ops(folder):
    rows = [pair for path in sorted(folder.glob("ops_*.json")) for pair in bench_rows(path)]
    if rows:
        print(f"\n{'memory-bound':44} {'ms':>9} {'GB/s':>9} {'% floor':>8}")
    for name, row in rows:
        print(f"{name:44} {row['median_ms']:9.4f} {row['GB/s']:9.0f} "
              f"{row.get('%floor', float('nan')):8.1f}")


def print_steps(folder):
    rows = [(path.stem, load(path)) for path in sorted(folder.glob("*step*.json"))]
    if rows:
        print(f"\n{'training step':24} {'mean ms':>9} {'median':>9} {'p10':>9} {'p90':>9} "
              f"{'images/s':>9}")
    for name, row in rows:
        figures = [row["ms_mean"], row["ms_median"], row["ms_p10"], row["ms_p90"]]
        print(f"{name:24} " + " ".join(f"{ms:9.3f}" for ms in figures)
              + f" {row['images_per_s']:9.0f}")
        if "tf32" in row:
            print(f"{'':24} TF32 switches: {row['tf32']}, precision {row['precision']}")


def main():
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        print("table.py: needs the folder of results", file=sys.stderr)
        return 2
    folder = Path(sys.argv[1])
    print_convolutions(folder)
    print_ops(folder)
    print_steps(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
