#!/usr/bin/env python3
"""Writes into the book what programs print: `scripts/quote_output.py [build/release]`.

A block of docs/*.md that opens with ```text and a command line, as in "```text museum elbo", holds
the output of that program of build/release/apps. The tests compare; this brings the blocks up to
date.
"""
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```text (\S.*)\n(?:(?!```$).*\n)*```$", re.M)


def main():
    build = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "release"

    def block(match):
        program, *arguments = shlex.split(match[1])
        done = subprocess.run([build / "apps" / program, *arguments], stdout=subprocess.PIPE,
                              text=True, check=True)
        return f"```text {match[1]}\n{done.stdout}```"

    for chapter in sorted((ROOT / "docs").glob("*.md")):
        before = chapter.read_text()
        after = BLOCK.sub(block, before)
        if after != before:
            chapter.write_text(after)
            print(f"quote_output.py: {chapter.relative_to(ROOT)} has changed")


if __name__ == "__main__":
    try:
        main()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"quote_output.py: {error}")
