"""Finds the mutants of a kernel source, and writes a source that holds all of them.

Mutants are looked for in device code: the bodies of functions marked __global__ or __device__.
  barrier    a call that stands as a statement and whose name holds `sync` (not `async`) or
             `barrier`: __syncthreads, __syncwarp, named barriers; it is left out
  wait       likewise a call whose name holds `wait`: asynchronous copies and products
  bound      a comparison < <= > >= is shifted by one: < to <=, <= to <, > to >=, >= to >. Every
             comparison counts, of indices or not: which ones guard memory is for the tests to
             say. clang-format puts spaces around a comparison and none inside template brackets.
"""
import re
from dataclasses import dataclass

SHIFTED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
NAMES = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal"}
COMPARISON = re.compile(r"(?<=\s)(<=|>=|<|>)(?=\s)")
STATEMENT = re.compile(r"(?<=[;{})\s])(?:\w+(?:::|\.|->))*"
                       r"\w*((?<!a)sync|barrier|wait)\w*(?:<[^;()]*>)?\(")
NO_NAMES = ("__launch_bounds__", "__align__", "alignas", "decltype", "noexcept")


@dataclass
class Mutant:
    path: str      # of the source, from the repository's root
    function: str  # that holds it
    kind: str      # barrier, wait or bound
    text: str      # its line after the change; what was left out stands in [-brackets-]
    begin: int     # the characters of the source it replaces
    end: int
    occurrence: int = 1  # counts equal lines of one function
    id: int = 0

    def key(self):
        """Names the mutant in the list of justified ones; does not hold a line number."""
        number = f" #{self.occurrence}" if self.occurrence > 1 else ""
        return f"{self.path} :: {self.function} :: {self.text}{number}"


def code_only(text):
    """The text with comments, strings and preprocessor lines as blanks: positions stay."""
    noise = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''
                       r'|^[ \t]*#(?:\\\n|[^\n])*', re.DOTALL | re.MULTILINE)
    return noise.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def closing(code, start, pair):
    """The position of the bracket that closes the one at `start`."""
    depth = 0
    for i in range(start, len(code)):
        depth += {pair[0]: 1, pair[1]: -1}.get(code[i], 0)
        if depth == 0:
            return i
    raise ValueError(f"no {pair[1]} for the {pair[0]} at character {start}")


def device_functions(code):
    """(name, begin, end) of the body of each function marked __global__ or __device__."""
    found = []
    for mark in re.finditer(r"\b(__global__|__device__)\b", code):
        if found and mark.start() < found[-1][2]:
            continue
        at, name = mark.end(), None
        while at < len(code) and code[at] not in ";{":
            if code[at] == "(":
                before = re.search(r"([\w~]+)\s*$", code[mark.end():at])
                word = before.group(1) if before else "operator"
                if word not in NO_NAMES:
                    name = name or word
                at = closing(code, at, "()")
            at += 1
        if at < len(code) and code[at] == "{" and name:
            found.append((name, at, closing(code, at, "{}") + 1))
    return found


def line_of(text, begin, end, replacement):
    """The line around a change, after it, with runs of blanks as one."""
    first = text.rfind("\n", 0, begin) + 1
    last = text.find("\n", end)
    line = text[first:begin] + replacement + text[end:last if last >= 0 else len(text)]
    return " ".join(re.sub(r"\s//.*", "", line).split())


def find(path, text):
    """The mutants of one source in the order of the text."""
    code = code_only(text)
    mutants = []
    for function, begin, end in device_functions(code):
        for match in STATEMENT.finditer(code, begin, end):
            stop = closing(code, match.end() - 1, "()") + 1
            before = code[begin:match.start()].rstrip()
            if code[stop:stop + 1] != ";" or not before.endswith((";", "{", "}", ")", "else")):
                continue  # its value is used
            stop += 1
            kind = "wait" if match.group(1) == "wait" else "barrier"
            line = line_of(text, match.start(), stop, f"[-{text[match.start():stop]}-]")
            mutants.append(Mutant(path, function, kind, line, match.start(), stop))
        for match in COMPARISON.finditer(code, begin, end):
            line = line_of(text, match.start(), match.end(), SHIFTED[match.group()])
            mutants.append(Mutant(path, function, "bound", line, match.start(), match.end()))
    mutants.sort(key=lambda m: m.begin)
    seen = {}
    for mutant in mutants:
        mutant.occurrence = seen.get((mutant.function, mutant.text), 0) + 1
        seen[mutant.function, mutant.text] = mutant.occurrence
    return mutants


def write_all(text, mutants):
    """The source with all the given mutants in it; lines keep their numbers."""
    for mutant in sorted(mutants, key=lambda m: -m.begin):
        old = text[mutant.begin:mutant.end]
        if mutant.kind == "bound":
            new = f"< ::mutant::{NAMES[old]}({mutant.id}) >"
        else:
            new = f"{{ if (!::mutant::on({mutant.id})) {old} }}"
        text = text[:mutant.begin] + new + text[mutant.end:]
    # The first line of a chapter is a comment, so the include can stand there.
    return '#include "scripts/mutation/mutant.h"  ' + text
