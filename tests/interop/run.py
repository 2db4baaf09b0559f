"""Runs a test of this folder with a Python that has the packages it needs.

    python3 run.py test_NAME.py PATH/TO/interop_tool

Tried in this order: $IMAGO_PYTHON, build/python of this checkout (scripts/test.sh --python makes
it), the Python that runs this, /usr/bin/python3. Where none has the packages the exit code is 77,
which ctest counts as skipped; with IMAGO_REQUIRE_PYTHON set it is 1.
"""
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NEEDS = {"test_numpy.py": ["numpy"], "test_pytorch.py": ["numpy", "torch", "safetensors"]}
FIND = ("import sys, importlib.util as u; "
        "print(*[m for m in sys.argv[1:] if u.find_spec(m) is None])")


def missing(python, modules):
    """Those of `modules` that an interpreter lacks; all of them if it does not run."""
    try:
        return subprocess.run([python, "-c", FIND, *modules], check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        return modules


def main():
    test, *arguments = sys.argv[1:]
    pythons = [os.environ.get("IMAGO_PYTHON"), HERE.parents[1] / "build/python/bin/python3",
               sys.executable, "/usr/bin/python3"]
    tried = []
    for python in filter(None, pythons):
        lacks = missing(str(python), NEEDS[test])
        if not lacks:
            print(f"{test} with {python}", flush=True)
            return subprocess.run([str(python), str(HERE / test), *arguments]).returncode
        tried.append(f"  {python} lacks {', '.join(lacks)}")
    required = bool(os.environ.get("IMAGO_REQUIRE_PYTHON"))
    print(f"{'FAILED' if required else 'SKIPPED'}: {test} needs {', '.join(NEEDS[test])}, and\n" +
          "\n".join(tried) + "\nInstall them with: scripts/test.sh --python")
    return 1 if required else 77


if __name__ == "__main__":
    sys.exit(main())
