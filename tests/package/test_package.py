"""Imago as another project sees it: installed, and as a part of that project.

test_package.py TEST --source REPOSITORY --build BUILD_FOLDER --cxx COMPILER [--werror ON]
TEST is installed, headers or subdirectory.
"""
import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path


def run(*command, fails=False):
    """The output of a command, which must succeed, or else fail when `fails`."""
    command = [str(part) for part in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if (done.returncode != 0) != fails:
        sys.exit(f"exit code {done.returncode} of {' '.join(command)}\n{done.stdout}")
    return done.stdout


def expect(condition, what):
    if not condition:
        sys.exit(f"expected that {what}")


def configure(source, build, cxx, *options, fails=False):
    return run("cmake", "-G", "Ninja", "-S", source, "-B", build, f"-DCMAKE_CXX_COMPILER={cxx}",
               "-DCMAKE_BUILD_TYPE=Release", *options, fails=fails)


def test_installed(args):
    """find_package and pkg-config find what was installed, wherever it has been moved to."""
    work = args.build / "package" / "test"
    shutil.rmtree(work, ignore_errors=True)
    run("cmake", "--install", args.build, "--prefix", work / "first")
    prefix = work / "second"
    (work / "first").rename(prefix)

    include = prefix / "include"
    headers = {str(path.relative_to(include)) for path in include.rglob("*.h")}
    for wanted in ("imago/imago.h", "imago/version.h", "imago/autograd/ops.h",
                   "imago/kernels/conv2d/conv2d.h"):
        expect(wanted in headers, f"{wanted} is installed")
    for name in headers:
        private = ("cpu_", "cases.h", "engines.h", "emulator/", "kernels/cuda", "apps/", "tests/",
                   "bench/")
        expect(not any(part in name for part in private), f"{name} stays at home")
    for path in prefix.rglob("*"):
        if path.suffix in (".cmake", ".h", ".pc"):
            for place in (args.source, args.build, work):
                expect(str(place) not in path.read_text(), f"{path} does not name {place}")

    found = f"-DCMAKE_PREFIX_PATH={prefix}"
    configure(args.source / "tests/package/consumer", work / "consumer", args.cxx, found)
    run("cmake", "--build", work / "consumer")
    print(run(work / "consumer" / "fit_line"), end="")

    # What a project may ask for, and what it is told when it asks for what is not there.
    probe = work / "probe"
    probe.mkdir()

    def ask(name, arguments, then, fails=False):
        (probe / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.22)\nproject(probe LANGUAGES CXX)\n"
            f"find_package(imago {arguments})\n{then}\n")
        return configure(probe, work / name, args.cxx, found, fails=fails)

    ask("all", "CONFIG REQUIRED",
        "if(NOT TARGET imago::imago OR NOT imago_data_FOUND)\n  message(FATAL_ERROR all)\nendif()")
    ask("one", "CONFIG REQUIRED COMPONENTS tensor",
        "if(NOT TARGET imago::tensor OR TARGET imago::kernels OR TARGET hwy::hwy)\n"
        "  message(FATAL_ERROR one)\nendif()")
    ask("twice", "CONFIG REQUIRED COMPONENTS autograd",
        "find_package(imago CONFIG REQUIRED)\nif(NOT TARGET imago::imago)\n"
        "  message(FATAL_ERROR twice)\nendif()")
    said = ask("unknown", "CONFIG REQUIRED COMPONENTS vision", "", fails=True)
    expect("vision" in said, "an unknown component is named")
    ask("later", "99.0 CONFIG REQUIRED", "", fails=True)

    if shutil.which("pkg-config"):
        found_by = f"PKG_CONFIG_PATH={next(prefix.rglob('imago.pc')).parent}"
        flags = run("env", found_by, "pkg-config", "--cflags", "--libs", "imago")
        fit_line = args.source / "tests/package/consumer/fit_line.cpp"
        run(args.cxx, "-std=c++20", fit_line, f"-I{fit_line.parent}", "-o", work / "fit_line",
            *flags.split())
        run(work / "fit_line")
    else:
        print("!! pkg-config not found: imago.pc is not tested")


def test_headers(args):
    """Each public header compiles on its own, without a warning."""
    include = args.build / "package" / "include"
    headers = sorted(str(path.relative_to(include)) for path in include.rglob("*.h"))
    expect(len(headers) > 90, f"there are public headers in {include}")

    def compile(header, *flags):
        command = [args.cxx, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-x", "c++",
                   f"-I{include}", *flags, "-"]
        done = subprocess.run(command, input=f"#include <{header}>\n", capture_output=True,
                              text=True)
        expect(done.returncode == 0, f"{header} compiles alone\n{done.stderr}")

    # Most headers include autograd/var.h themselves, and these find it compiled: they still see
    # nothing that they do not include.
    def included(header):
        seen, queue = set(), [header]
        while queue:
            names = re.findall(r"#include <(imago/[^>]+)>", (include / queue.pop()).read_text())
            queue += set(names) - seen
            seen.update(names)
        return seen

    common = "imago/autograd/var.h"
    work = args.build / "package" / "headers"
    work.mkdir(exist_ok=True)
    (work / "common.h").write_text(f"#include <{common}>\n")
    run(args.cxx, "-std=c++20", "-x", "c++-header", f"-I{include}", work / "common.h",
        "-o", work / "common.h.gch")

    def compile_alone(header):
        has_common = common in included(header)
        compile(header, "-fsyntax-only", *(["-include", work / "common.h"] if has_common else []))

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compile_alone, headers))
    print(f"{len(headers)} headers")


def test_subdirectory(args):
    """A project can have Imago as a subdirectory, which then leaves its own settings alone."""
    # Beside the build folder, so that paths relative to it are the same and ccache finds objects.
    build = args.build.with_name(args.build.name + "-consumer")
    shutil.rmtree(build, ignore_errors=True)
    # The libraries as in the build folder, but for IMAGO_WERROR no choice of ours.
    configure(args.source / "tests/package/consumer", build, args.cxx,
              f"-DIMAGO_SOURCE={args.source}", "-DIMAGO_CUDA=OFF", f"-DIMAGO_WERROR={args.werror}",
              "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if entry["file"].endswith("fit_line.cpp"):
            command = entry["command"]
    for flag in ("-W", "-ffp-contract", "-fopenmp", f"-I{args.source} "):
        expect(flag not in command, f"{flag} is not forced on the project: {command}")
    targets = run("ninja", "-C", build, "-t", "targets", "all")
    for name in ("test_kernels", "bench_ops", "train_gan"):
        expect(f"{name}:" not in targets, f"{name} is no target of the project")
    run("cmake", "--build", build)
    print(run(build / "fit_line"), end="")
    shutil.rmtree(build)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("test", choices=("installed", "headers", "subdirectory"))
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--cxx", required=True)
    parser.add_argument("--werror", default="OFF")
    args = parser.parse_args()
    globals()["test_" + args.test](args)


main()
