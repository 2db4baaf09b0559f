#!/usr/bin/env python3
"""Prints the results of scripts/gpu_check.sh: Imago's rows next to the peer's.

    python3 table.py DIR

Reads conv_*.json (bench_conv), ops_*.json (bench_ops), step.json (bench_step), peer_conv*.json and
peer_step_*.json in DIR, as far as they are there. What two equal runs of ours, NAME.json and
NAME_again.json, differ by is noise; a ratio within it is ambiguous. Needs no PyTorch.
"""
import json
import statistics
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
    rows = [row for path in sorted(folder.glob("peer_conv*.json")) for row in load(path)["rows"]]
    return {(row["layer"], row["pass"], row["precision"]): row["ms_median"] for row in rows}


def apart(a, b):
    """By how much one of two times is longer than the other: 0.02 for 2 per cent."""
    return max(a, b) / min(a, b) - 1


class Times:
    """Rows of our own, some measured twice: NAME.json and NAME_again.json of an equal run."""

    def __init__(self, folder, pattern):
        self.rows, again = {}, {}
        for path in sorted(folder.glob(pattern)):
            rows = again if path.stem.endswith("_again") else self.rows
            for name, row in bench_rows(path):
                rows[name] = row
        self.apart = {name: apart(row["median_ms"], again[name]["median_ms"])
                      for name, row in self.rows.items() if name in again}
        for name in self.apart:
            self.rows[name]["median_ms"] += again[name]["median_ms"]
            self.rows[name]["median_ms"] /= 2
        # One pair may be close by chance, so no row has less noise than half of them.
        self.usual = statistics.median(self.apart.values()) if self.apart else None

    def noise(self, name):
        """None where nothing was measured twice."""
        return None if self.usual is None else max(self.usual, self.apart.get(name, 0))

    def print_noise(self):
        if self.apart:
            print(f"noise: two equal runs of {len(self.apart)} rows differ by {self.usual:.1%} in "
                  f"the median, by {max(self.apart.values()):.1%} at most; times are their means")


def compared(ours, theirs, noise):
    """Their time over ours, and what noise leaves of it."""
    text = f"{theirs / ours:6.2f}"
    if noise is None:
        return text
    return text + f" ±{noise:.1%}" + (" ambiguous" if apart(ours, theirs) <= noise else "")


def mirrored(layer, which):
    """The rows of bench_conv stand for D's layers; G1, which has no mirror, is one from its end."""
    if layer.startswith("G1"):
        return "G1", {"forward": "input_grad", "input_grad": "forward"}.get(which, which)
    return layer.split("/")[0], which


def print_convolutions(folder):
    peer, times = peer_conv(folder), Times(folder, "conv_*.json")
    shown = set()
    print(f"{'convolution':44} {'ms':>9} {'GFLOP/s':>9} {'% floor':>8} {'PyTorch ms':>11} "
          f"{'ratio':>6}")
    for name, row in times.rows.items():
        layer, which, engine, dtype = name.rsplit("/", 3)
        key = (*mirrored(layer, which), dtype)
        theirs = peer.get(key)
        shown.add(key)
        ratio = f"{'–':>11}"
        if theirs:
            ratio = f"{theirs:11.4f} {compared(row['median_ms'], theirs, times.noise(name))}"
        print(f"{name:44} {row['median_ms']:9.4f} {row['GFLOP/s']:9.0f} "
              f"{row.get('%floor', float('nan')):8.1f} {ratio}")
    for key, theirs in peer.items():
        if key not in shown:
            name = "/".join(("PyTorch", *key))
            print(f"{name:44} {'–':>9} {'–':>9} {'–':>8} {theirs:11.4f}")
    times.print_noise()


def print_ops(folder):
    times = Times(folder, "ops_*.json")
    if times.rows:
        print(f"\n{'memory-bound':44} {'ms':>9} {'GB/s':>9} {'% floor':>8}")
    for name, row in times.rows.items():
        print(f"{name:44} {row['median_ms']:9.4f} {row['GB/s']:9.0f} "
              f"{row.get('%floor', float('nan')):8.1f}")
    times.print_noise()


def print_steps(folder):
    rows = {path.stem: load(path) for path in sorted(folder.glob("*step*.json"))}
    ours = [rows[name]["ms_mean"] for name in ("step", "step_again") if name in rows]
    noise = apart(*ours) if len(ours) == 2 else None
    if rows:
        print(f"\n{'training step':24} {'mean ms':>9} {'median':>9} {'p10':>9} {'p90':>9} "
              f"{'images/s':>9} {'ratio':>6}")
    for name, row in rows.items():
        figures = [row["ms_mean"], row["ms_median"], row["ms_p10"], row["ms_p90"]]
        ratio = ""
        if ours and name.startswith("peer"):
            ratio = " " + compared(statistics.mean(ours), row["ms_mean"], noise)
        print(f"{name:24} " + " ".join(f"{ms:9.3f}" for ms in figures)
              + f" {row['images_per_s']:9.0f}{ratio}")
        if "tf32" in row:
            print(f"{'':24} TF32 switches: {row['tf32']}, precision {row['precision']}")
    if noise is not None:
        print(f"noise: two equal runs of step differ by {noise:.1%}; ratios are of their mean")


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
