"""Runs the mutants of every kernel source against its tests; scripts/mutate.sh is the way in.

Kernel sources are the .cu and .cuh files, and the headers that a .cu file includes. A copy of the
repository under build/mutation gets them with all mutants to be run (mutant.h), and its emulated
preset (AddressSanitizer and UndefinedBehaviorSanitizer) is built once. Then the tests of a kernel's
folder run once per mutant: one that fails, crashes or hangs has killed it. Other sources are
compiled exactly as in build/emulated, so that a compiler cache has them.
"""
import argparse
import concurrent.futures
import hashlib
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import mutants

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "build" / "mutation"  # the copy
BUILD = SOURCE / "build" / "emulated"
JUSTIFIED = ROOT / "scripts" / "mutants_justified.txt"
PROGRAMS = ("test_kernels", "test_emulator")
# kernels/<folder> is tested by tests/*/test_<folder>*.cpp, by those of other folders whose .cu
# files include the mutated file, and by the tests of what is built on it:
MORE_TESTS = {
    "elementwise": ["cast", "compare"],
    "gemm": ["conv2d"],
    "optimizer": ["clip", "ema"],
    "permute": ["concat", "gather"],
    "reduce": ["batch_norm", "cross_entropy", "group_norm", "softmax"],
}
# Folders that are not kernels but what runs them, and sources that give kernels their words.
NOT_KERNELS = ("cuda", "emulator")
VOCABULARY = ("kernels/launch.h", "kernels/ptx.cuh")


class Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"mutate.sh: {message}", file=sys.stderr)
        raise SystemExit(2)


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def options():
    parser = Parser(prog="mutate.sh", description="Mutation testing of the CUDA kernels.")
    parser.add_argument("--sample", type=positive, metavar="N",
                        help="only N mutants, drawn by --seed")
    parser.add_argument("--seed", type=int, default=1, metavar="S",
                        help="of the sample; default: 1")
    parser.add_argument("--only", default="", metavar="PATTERN",
                        help="only mutants whose line in --list matches this regular expression")
    parser.add_argument("--shared", action="store_true",
                        help="with --sample: also mutants of the headers that kernels and host "
                        "share, which take several times as long to compile")
    parser.add_argument("--list", action="store_true", help="print the mutants and stop")
    parser.add_argument("-j", type=positive, default=len(os.sched_getaffinity(0)), metavar="JOBS",
                        help="compilers and tests at a time; default: one per core")
    args = parser.parse_args()
    try:
        re.compile(args.only)
    except re.error as error:
        parser.error(f"--only {args.only}: {error}")
    return args


def users():
    """{source below kernels/: the folders whose .cu files are or include it, directly or not}."""
    found = {}
    for chapter in (ROOT / "kernels").glob("*/*.cu"):
        waiting, seen = [str(chapter.relative_to(ROOT))], set()
        while waiting:
            path = waiting.pop()
            if path in seen or Path(path).parts[1] in NOT_KERNELS or not (ROOT / path).is_file():
                continue
            seen.add(path)
            found.setdefault(path, set()).add(chapter.parent.name)
            waiting += mutants.includes((ROOT / path).read_text())
    return found


def find_all():
    """The mutants of all kernel sources, numbered from 1."""
    found = []
    for path in sorted(users()):
        if path not in VOCABULARY:
            found += mutants.find(path, (ROOT / path).read_text())
    for number, mutant in enumerate(found, 1):
        mutant.id = number
    return found


def groups_of(path, of):
    """Which tests are run against a mutant of a source, in the order in which they are run: tuples
    of names of tests. `of` is what users() returns."""
    parts = Path(path).parts
    own = [parts[1]] if len(parts) > 2 else []
    others = sorted(of[path] - set(own))
    groups = [(folder,) for folder in own or others]
    rest = [name for folder in own + others for name in MORE_TESTS.get(folder, [])] + others
    rest = [name for name in dict.fromkeys(rest) if (name,) not in groups]
    return groups + [tuple(rest)] * bool(rest)


def select(found, args):
    chosen = [m for m in found if re.search(args.only, m.key())
              and (args.shared or not args.sample or not m.path.endswith(".h"))]
    if args.sample:
        def draw(mutant):
            return hashlib.sha256(f"{args.seed} {mutant.key()}".encode()).digest()
        chosen = sorted(sorted(chosen, key=draw)[:args.sample], key=lambda m: m.id)
    return chosen


def read_justified(found):
    """{key: reason}; ends the program at a line that names no mutant."""
    keys = {m.key() for m in found}
    justified = {}
    for number, line in enumerate(JUSTIFIED.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, _, reason = line.rpartition(" :: ")
        if key not in keys or not reason.strip():
            raise SystemExit(f"{JUSTIFIED.name}:{number}: no such mutant, or no reason: {line}")
        justified[key] = reason
    return justified


def write_if_changed(path, data):
    if not path.is_file() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def copy_source(found, not_viable):
    """Brings the copy of the repository up to date; unchanged files keep their time stamps."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    names = [name for name in names.decode().split("\0") if name and (ROOT / name).is_file()]
    planted = {}
    for mutant in found:
        if mutant.id not in not_viable:
            planted.setdefault(mutant.path, []).append(mutant)
    for name in names:
        data = (ROOT / name).read_bytes()
        if name in planted:
            data = mutants.write_all(data.decode(), planted[name]).encode()
        write_if_changed(SOURCE / name, data)
    kept = set(names)
    for path in SOURCE.rglob("*"):
        name = str(path.relative_to(SOURCE))
        if path.is_file() and name not in kept and not name.startswith("build/"):
            path.unlink()


def output_of(command):
    return subprocess.run(command, cwd=SOURCE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace")


def build(found, jobs):
    """Builds the tests; returns the ids of the mutants that no compiler takes."""
    not_viable = set()
    copy_source(found, not_viable)
    # Paths in the copy look to ccache like those in the repository.
    os.environ.setdefault("CCACHE_BASEDIR", str(ROOT))
    os.environ.setdefault("CCACHE_NOHASHDIR", "1")
    configure = ["cmake", "--preset", "emulated", f"-DIMAGO_TEST_ROOT={ROOT}", "-DIMAGO_BENCH=OFF"]
    run = output_of(configure)
    if run.returncode:
        raise SystemExit(run.stdout)
    compile_all = ["ninja", "-C", BUILD, "-k", "0", "-j", str(jobs), *PROGRAMS]
    for _ in range(5):
        run = output_of(compile_all)
        if run.returncode == 0:
            return not_viable
        wrong = set()
        for name, line in re.findall(r"(kernels/\S+\.(?:cuh?|h)):(\d+):\d+: error:",
                                     run.stdout):
            wrong |= {m.id for m in found if m.path == name and line_number(m) == int(line)}
        if not wrong - not_viable:
            break
        not_viable |= wrong
        copy_source(found, not_viable)
    raise SystemExit(run.stdout[-4000:] + "\nmutate.sh: the mutated sources do not build")


def line_number(mutant):
    return (ROOT / mutant.path).read_text().count("\n", 0, mutant.begin) + 1


def cpu_seconds():
    """Of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test(names, mutant_id, limit):
    """(whether all tests of a group of names passed, how many there are).

    A program that takes more than `limit` seconds of a CPU hangs. Time by the clock says little on
    a busy machine; it only bounds a program that sleeps."""
    limited = ["prlimit", f"--cpu={limit}"] if limit else []
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ASAN_OPTIONS": "detect_leaks=0"}
    environment.pop("IMAGO_MUTANT", None)
    if mutant_id:
        environment["IMAGO_MUTANT"] = str(mutant_id)
    count = 0
    files = ",".join(f"*/test_{name}*.cpp" for name in names)
    for program in PROGRAMS:
        command = [*limited, BUILD / "tests" / program, f"--source-file={files}",
                   "--abort-after=1"]
        try:
            run = subprocess.run(command, env=environment, text=True, errors="replace",
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 timeout=60 + 20 * limit if limit else None)
        except subprocess.TimeoutExpired:
            return False, count
        if run.returncode:
            return False, count
        count += int(re.search(r"test cases:\s*(\d+)", run.stdout).group(1))
    return True, count


def check_unchanged(groups):
    """Runs each group of tests without a mutant; returns the CPU seconds a mutant may take."""
    limits = {}
    for names in groups:
        title = ", ".join(names)
        before = cpu_seconds()
        passed, count = test(names, 0, None)
        if not passed or count == 0:
            raise SystemExit(f"mutate.sh: tests of {title}: " + (
                "they fail without a mutant" if count or not passed else "there are none"))
        seconds = cpu_seconds() - before
        limits[names] = round(10 + 5 * seconds)
        print(f"{title}: {count} test cases in {seconds:.1f} s of a CPU", flush=True)
    return limits


def main():
    args = options()
    found = find_all()
    justified = read_justified(found)
    chosen = select(found, args)
    if args.list:
        print("\n".join(m.key() for m in chosen))
        return 0
    if not chosen:
        raise SystemExit("mutate.sh: there is no such mutant")

    print(f"{len(chosen)} of {len(found)} mutants; building", flush=True)
    start = time.monotonic()
    not_viable = build(chosen, args.j)
    print(f"built in {time.monotonic() - start:.0f} s", flush=True)
    of = users()
    limits = check_unchanged(sorted({names for m in chosen for names in groups_of(m.path, of)}))

    def outcome(mutant):
        if mutant.id in not_viable:
            return "not viable"
        # The first group kills most, so that the others need not run.
        if all(test(names, mutant.id, limits[names])[0] for names in groups_of(mutant.path, of)):
            return "justified" if mutant.key() in justified else "survived"
        return "killed, though justified" if mutant.key() in justified else "killed"

    count = {}
    with concurrent.futures.ThreadPoolExecutor(args.j) as pool:
        for mutant, result in zip(chosen, pool.map(outcome, chosen)):
            count[result] = count.get(result, 0) + 1
            print(f"{result:10}  {mutant.key()}", flush=True)
    print(", ".join(f"{number} {result}" for result, number in sorted(count.items())),
          f"in {time.monotonic() - start:.0f} s")
    return 1 if count.get("survived") or count.get("killed, though justified") else 0


if __name__ == "__main__":
    sys.exit(main())
