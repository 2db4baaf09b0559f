"""What the peer scripts share: the device, PyTorch's TF32 switches, times and result files."""
import argparse
import json
import os
import sys

import torch


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the options in one line, and exits with 2."""

    def error(self, message):
        print(f"{self.prog}: {message}", file=sys.stderr)
        raise SystemExit(2)


def add_device_options(parser):
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=0, help="of the CPU; default: every core")
    parser.add_argument("--json", metavar="OUT", help="also write the results to this file")


def set_up(args, parser):
    """Prepares the device the options ask for; ends the program where there is none."""
    if args.threads < 0:
        parser.error("--threads must not be negative")
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error(f"--device cuda: torch {torch.__version__} sees no GPU here")
    torch.set_num_threads(args.threads or len(os.sched_getaffinity(0)))
    torch.manual_seed(1)
    torch.backends.cudnn.benchmark = True  # cuDNN times its algorithms and keeps the fastest


def set_tf32(allowed):
    torch.backends.cudnn.allow_tf32 = allowed
    torch.backends.cuda.matmul.allow_tf32 = allowed


def tf32_switches():
    """As they are now. PyTorch's defaults let convolutions use TF32 and matrix products not."""
    return {"cudnn": torch.backends.cudnn.allow_tf32,
            "matmul": torch.backends.cuda.matmul.allow_tf32}


def setting(device):
    """What a figure depends on besides the options; goes into every result file."""
    result = {"torch": torch.__version__, "device": device, "threads": torch.get_num_threads(),
              "tuned_malloc": "MALLOC_MMAP_THRESHOLD_" in os.environ}
    if device == "cuda":
        result.update(gpu=torch.cuda.get_device_name(), cuda=torch.version.cuda,
                      cudnn=torch.backends.cudnn.version(), tf32=tf32_switches())
    return result


def describe(result):
    """The same in words, for people."""
    if result["device"] == "cpu":
        return (f"torch {result['torch']}, {result['threads']} threads, "
                f"malloc {'tuned' if result['tuned_malloc'] else 'default'}")
    switches = ", ".join(f"{k} {'on' if v else 'off'}" for k, v in result["tf32"].items())
    return (f"torch {result['torch']}, {result['gpu']}, CUDA {result['cuda']}, "
            f"cuDNN {result['cudnn']}, TF32 switches: {switches}")


def quantile(ordered, q):
    return ordered[min(len(ordered) - 1, round(q * (len(ordered) - 1)))]


def spread(times):
    """The distribution of some times in ms, under the names every bench of Imago uses."""
    ordered = sorted(times)
    return {"ms_min": ordered[0], "ms_p10": quantile(ordered, 0.1),
            "ms_median": quantile(ordered, 0.5), "ms_p90": quantile(ordered, 0.9)}


def write_json(path, result):
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.write("\n")
