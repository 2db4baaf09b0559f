#!/usr/bin/env python3
"""Trains a small GAN with every loss and compares them: scripts/loss_table.py [FLAGS]

Each loss of SETTINGS trains on procedural faces of 32x32 with each seed, for as many steps of G and
of batches as large as the others, and `evaluate` scores what it draws. The table goes into
docs/gan_losses.md between its markers, all figures into bench/results/MACHINE/gan_losses.json. What
is done already, with the same commands, is not done again: after a change to the programs, remove
runs/losses.

  --build FOLDER    where the programs are                          build/release
  --steps N         steps of G in each run                          3000
  --batch N         images of each update                           64
  --base N          width of the networks                           16
  --count N         images of each kind in a score                  2000
  --seeds A,B,C     of the runs                                     1,2,3
  --only LOSS       this one alone; the table is written when all results are there
  --jobs N          runs side by side, which share the cores        1
  --device NAME     cpu, cuda or auto                               cpu
  --keep-runs       leave the folders of the runs; else only their scores stay
  --runs FOLDER     for runs and scores                             runs/losses
  --machine NAME    folder of bench/results                         epyc-zen5-2core
  --docs FILE       chapter with the markers                        docs/gan_losses.md
  --results FILE    in place of bench/results/MACHINE/gan_losses.json
  --settings        only write the table of settings into the chapter
"""
import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass(frozen=True)
class Setting:
    """How one loss is trained: flags of train_gan beside those that are alike for all."""
    name: str
    flags: str
    why: str


# One D for all that can take it, sndcgan32: spectral norm and no batch norm, which penalties do not
# go with. The generator is the same everywhere. One update of D for each of G, so that all see as
# many images. Adam with the rates of ADAM, except where a loss asks for others.
ADAM = "--lr 2e-4 --beta1 0 --beta2 0.99"
SETTINGS = (
    Setting("minimax", f"--model sndcgan32 --loss minimax {ADAM}",
            "its gradient vanishes where D is sure, and spectral norm keeps D from being sure"),
    Setting("nonsaturating", f"--model sndcgan32 --loss nonsaturating {ADAM}",
            "as minimax, to compare with"),
    Setting("lsgan", f"--model sndcgan32 --loss lsgan {ADAM}", "as minimax, to compare with"),
    Setting("hinge", f"--model sndcgan32 --loss hinge {ADAM}",
            "the loss and the D of Miyato et al."),
    Setting("wasserstein, clipping",
            f"--model dcgan32 --loss wasserstein --clip-weights 0.01 {ADAM}",
            "0.01 as published; a D with batch norm, for spectral norm would undo the clipping; "
            "the paper has RMSProp, which Adam without momentum is but for its correction of bias, "
            "a quarter of the rate, and five updates of D"),
    Setting("wasserstein, gradient penalty",
            "--model sndcgan32 --loss wasserstein --penalty gp --penalty-weight 10 --lr-g 2e-4 "
            "--lr-d 8e-4 --beta1 0 --beta2 0.99",
            "the weight as published; D learns four times as fast as G in place of five updates "
            "(Heusel et al. 2017), for with equal rates it does not keep up"),
    Setting("nonsaturating, R1",
            f"--model sndcgan32 --loss nonsaturating --penalty r1 --penalty-weight 10 {ADAM}",
            "gamma 10 and no momentum as published"),
)

HALF = 0.5  # of the untrained distance, which the worst seed may not be above
NEAR = 1.5  # times the best median, which the worst seed may not be above either


def stop(message):
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {message}")


class Parser(argparse.ArgumentParser):
    """A bad flag ends with 2 and one line."""

    def error(self, message):
        print(f"{pathlib.Path(sys.argv[0]).name}: {message}", file=sys.stderr)
        sys.exit(2)


def arguments(argv):
    parser = Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    for name, default in (("steps", 3000), ("batch", 64), ("base", 16), ("count", 2000),
                          ("jobs", 1)):
        parser.add_argument(f"--{name}", type=positive, default=default)
    parser.add_argument("--seeds", default="1,2,3",
                        type=lambda text: [positive(part) for part in text.split(",")])
    parser.add_argument("--only", choices=[s.name for s in SETTINGS])
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda", "auto"))
    parser.add_argument("--keep-runs", action="store_true")
    parser.add_argument("--runs", type=pathlib.Path, default=ROOT / "runs" / "losses")
    parser.add_argument("--machine", default="epyc-zen5-2core")
    parser.add_argument("--docs", type=pathlib.Path, default=ROOT / "docs" / "gan_losses.md")
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("--settings", action="store_true")
    options = parser.parse_args(argv)
    if options.help:
        print(__doc__)
        sys.exit(0)
    options.results = options.results or (ROOT / "bench" / "results" / options.machine /
                                          "gan_losses.json")
    options.build, options.runs = options.build.resolve(), options.runs.resolve()
    return options


def positive(text):
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive number")
    return int(text)


def threads_of(options):
    return max(1, (os.cpu_count() or 1) // options.jobs)


def name_of(setting, seed):
    """For files: "wasserstein-clipping-2"."""
    return re.sub(r"[^a-z0-9]+", "-", setting.name.lower()) + f"-{seed}"


def commands_of(options, flags, name, seed):
    """What trains a run and what scores it, and the file the scores go to."""
    run, scores = options.runs / name, options.runs / f"{name}.scores.json"
    train = ["train_gan", "--data", "procedural", *flags.split(), "--base", str(options.base),
             "--batch", str(options.batch), "--steps", str(options.steps), "--seed", str(seed),
             "--sample-every", str(options.steps), "--checkpoint-every", str(options.steps),
             "--device", options.device, "--threads", str(threads_of(options)), "--out", str(run)]
    evaluate = ["evaluate", "--generator", str(run / "checkpoint.safetensors"), "--data",
                "procedural", "--count", str(options.count), "--device", options.device,
                "--threads", str(threads_of(options)), "--json", str(scores)]
    return train, evaluate, scores


def of_no_account(command):
    """A command without what changes no figure: results do not depend on the number of threads."""
    kept = list(command)
    for flag in ("--threads", "--out", "--generator", "--json"):
        if flag in kept:
            at = kept.index(flag)
            del kept[at:at + 2]
    return kept


def result_of(options, flags, name, seed, say=print):
    """The figures of one run, which is trained and scored unless that is done. A dictionary."""
    train, evaluate, scores = commands_of(options, flags, name, seed)
    run, file = options.runs / name, options.runs / f"{name}.json"
    same = [of_no_account(train), of_no_account(evaluate)]
    if file.exists() and (not options.keep_runs or run.exists()):
        result = json.loads(file.read_text())
        if result.get("commands") == same:
            say(f"{name}: done before")
            return result
    if run.exists():
        shutil.rmtree(run)  # of a run that was stopped, or had other flags
    options.runs.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    # Now, not when the table is written: that may be later, elsewhere, and of a changed tree.
    result = {"commands": same, "seed": seed, "cpu": cpu(), "commit": commit()}
    error = call(options, train)
    if error and "is not finite" in error:
        result["diverged"] = error
    elif error:
        stop(error)
    result["seconds"] = round(time.monotonic() - start, 1)
    if not error:
        error = call(options, evaluate)
        if error:
            stop(error)
        result["evaluation"] = json.loads(scores.read_text())
        scores.unlink()
    temporary = file.with_suffix(".part")
    temporary.write_text(json.dumps(result, indent=1) + "\n")
    temporary.replace(file)
    if not options.keep_runs:
        shutil.rmtree(run, ignore_errors=True)
    distance = distance_of(result)
    say(f"{name}: {result['seconds']} s of training, "
        + ("diverged" if distance is None else f"Fréchet distance {distance:.3f}"))
    return result


def call(options, command):
    """None, or what the program says is wrong."""
    program = options.build / "apps" / command[0]
    try:
        done = subprocess.run([program, *command[1:]], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    except OSError as error:
        return f"{program}: {error.strerror}; build it first, or say where it is with --build"
    if done.returncode == 0:
        return None
    return done.stderr.strip() or f"{program} ended with {done.returncode}"


def distance_of(result):
    """None of a run that diverged."""
    return result["evaluation"]["scores"]["frechet_distance"] if "evaluation" in result else None


def judge(results):
    """results: {name: [result for each seed]} -> {name: figures}, with what passes."""
    rows = {}
    for name, runs in results.items():
        distances = [distance_of(run) for run in runs]
        untrained = [run["evaluation"]["scores"]["frechet_distance_untrained"] for run in runs
                     if "evaluation" in run]
        whole = None not in distances
        rows[name] = {"distances": distances, "untrained": untrained[0] if untrained else None,
                      "median": statistics.median(distances) if whole else None,
                      "of_untrained": max(distances) / untrained[0] if whole else None}
    medians = [row["median"] for row in rows.values() if row["median"] is not None]
    for row in rows.values():
        row["of_best"] = (max(row["distances"]) / min(medians)
                          if row["median"] is not None else None)
        row["passes"] = (row["median"] is not None and row["of_untrained"] <= HALF
                         and row["of_best"] <= NEAR)
    return rows


def table_of(rows, seeds):
    def number(value, digits=3):
        return "diverged" if value is None else f"{value:.{digits}f}"
    lines = ["| loss | untrained | " + " | ".join(f"seed {seed}" for seed in seeds) +
             " | median | worst / untrained | worst / best median | passes |",
             "|" + "---|" * (len(seeds) + 6)]
    for name, row in rows.items():
        cells = [name, number(row["untrained"]), *map(number, row["distances"]),
                 number(row["median"]), number(row["of_untrained"], 2), number(row["of_best"], 2),
                 "yes" if row["passes"] else "**no**"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def settings_table():
    lines = ["| loss | flags of `train_gan` | why these |", "|---|---|---|"]
    lines += [f"| {s.name} | `{s.flags}` | {s.why} |" for s in SETTINGS]
    return "\n".join(lines)


def put_between_markers(chapter, name, text):
    """Replaces what stands between <!-- NAME --> and <!-- end of NAME --> in a chapter."""
    before = chapter.read_text()
    pattern = rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)"
    if len(re.findall(pattern, before, re.S)) != 1:
        stop(f"{chapter} needs <!-- {name} --> and <!-- end of {name} --> once each")
    after = re.sub(pattern, lambda found: found[1] + text + "\n" + found[2], before, flags=re.S)
    if after != before:
        chapter.write_text(after)


def commit():
    """As bench/provenance.h: with "-dirty" where files differ from it."""
    def git(*command):
        return subprocess.run(["git", "-C", ROOT, *command], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True).stdout.strip()
    try:
        return (git("rev-parse", "HEAD") + ("-dirty" if git("status", "--porcelain") else "")
                or "unknown")
    except OSError:
        return "unknown"


def cpu():
    try:
        return re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(),
                         re.M)[1]
    except (OSError, TypeError):
        return "unknown"


def write_results(file, content):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def conditions(options, results):
    """What all figures have in common. results: those of all runs, which know where and of which
    state of the tree they were measured; where they differ, all of them are named."""
    def among(key):
        return ", ".join(sorted({result.get(key, "unknown") for result in results}))
    return {"cpu": among("cpu"), "commit": among("commit"), "device": options.device,
            "steps": options.steps, "batch": options.batch, "base": options.base,
            "count": options.count}


def main(argv):
    options = arguments(argv)
    put_between_markers(options.docs, "settings", settings_table())
    if options.settings:
        return
    chosen = [s for s in SETTINGS if options.only in (None, s.name)]
    printing = threading.Lock()

    def say(text):
        with printing:
            print(text, flush=True)

    work = [(setting, seed) for setting in chosen for seed in options.seeds]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = [pool.submit(result_of, options, setting.flags, name_of(setting, seed), seed, say)
                   for setting, seed in work]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    results, missing = {}, 0
    for setting in SETTINGS:
        for seed in options.seeds:
            name = name_of(setting, seed)
            file = options.runs / f"{name}.json"
            result = json.loads(file.read_text()) if file.exists() else {}
            train, evaluate, _ = commands_of(options, setting.flags, name, seed)
            if result.get("commands") != [of_no_account(train), of_no_account(evaluate)]:
                missing += 1
                continue
            results.setdefault(setting.name, []).append(result)
    if missing:
        print(f"{missing} of {len(SETTINGS) * len(options.seeds)} results are missing, so the "
              "table stays as it is")
        return
    rows = judge(results)
    table = table_of(rows, options.seeds)
    features = {run["evaluation"]["scores"]["features"] for runs in results.values()
                for run in runs if "evaluation" in run}
    note = (f"Fréchet distances of {options.count} images of each kind on {' and '.join(features)}; "
            f"base {options.base}, batch {options.batch}, {options.steps} steps of G.")
    put_between_markers(options.docs, "losses", f"{table}\n\n{note}")
    write_results(options.results, {
        "format": "imago-gan-losses-1",
        **conditions(options, [run for runs in results.values() for run in runs]),
        "half": HALF, "near": NEAR,
        "losses": [{"loss": s.name, "flags": s.flags, "why": s.why, **rows[s.name],
                    "runs": results[s.name]} for s in SETTINGS]})
    print(f"\n{table}\n\n{note}\nWrote {options.docs} and {options.results}")


if __name__ == "__main__":
    main(sys.argv[1:])
