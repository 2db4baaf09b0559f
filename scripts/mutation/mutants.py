"""Finds the mutants of a kernel source, and writes a source that holds all of them.

Mutants are looked for in device code: the bodies of functions marked __global__, __device__,
IMAGO_HOST_DEVICE or constexpr, for nvcc compiles the last for both sides too.
  barrier    a call that stands as a statement and whose name holds `sync` (not `async`) or
             `barrier`: __syncthreads, __syncwarp, named barriers; it is left out
  wait       likewise a call whose name holds `wait`: asynchronous copies and products
  bound      a comparison < <= > >= is shifted by one: < to <=, <= to <, > to >=, >= to >. Every
             comparison counts, of indices or not: which ones guard memory is for the tests to
             say. clang-format puts spaces around a comparison and none inside template brackets.
             In a constexpr function, which the compiler runs too, a comparison that it alone can
             run (if constexpr, static_assert, a constexpr variable) has no mutant.
"""
import re
from dataclasses import dataclass

SHIFTED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
NAMES = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal"}
COMPARISON = re.compile(r"(?<=\s)(<=|>=|<|>)(?=\s)")
STATEMENT = re.compile(r"(?<=[;{})\s])(?:\w+(?:::|\.|->))*"
                       r"\w*((?<!a)sync|barrier|wait)\w*(?:<[^;()]*>)?\(")
NO_NAMES = ("__launch_bounds__", "__align__", "__attribute__", "alignas", "decltype", "explicit",
            "noexcept")
MARK = re.compile(r"\b(__global__|__device__|IMAGO_HOST_DEVICE|(?<!if )constexpr)\b")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"(kernels/[^"]+)"', re.MULTILINE)


@dataclass
class Mutant:
    path: str      # of the source, from the repository's root
    function: str  # that holds it
    kind: str      # barrier, wait or bound
    text: str      # its line after the change; what was left out stands in [-brackets-]
    begin: int     # the characters of the source it replaces
    end: int
    constant: bool = False  # in a constexpr function
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


def includes(text):
    """The headers below kernels/ that a source includes itself."""
    return INCLUDE.findall(text)


def body_after(code, at):
    """The position of the brace that opens the body of a constructor whose `:` is at `at`."""
    while True:
        while code[at] not in "({":
            at += 1
        at = closing(code, at, "()" if code[at] == "(" else "{}") + 1
        rest = re.match(r"(?:\.\.\.)?\s*([,{])", code[at:])
        if not rest:
            raise ValueError(f"no body after the member initialiser at character {at}")
        at += rest.end() - 1
        if rest.group(1) == "{":
            return at
        at += 1


def device_functions(code):
    """(name, begin, end, whether it is constexpr) of the body of each function that is marked."""
    found = []
    for mark in MARK.finditer(code):
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
            elif code[at] == "=" and not re.search(r"operator\W*$", code[mark.end():at]):
                at = len(code)  # a variable, or a function that is defaulted or deleted
            elif code[at] == ":" and name and "::" not in code[at - 1:at + 2]:
                at = body_after(code, at) - 1
            at += 1
        if at < len(code) and code[at] == "{" and name:
            constant = re.search(r"\bconstexpr\b", code[mark.start():at]) is not None
            found.append((name, at, closing(code, at, "{}") + 1, constant))
    return found


def constants_in(code, begin, end):
    """(begin, end) of what only the compiler evaluates in a body."""
    found = []
    for match in re.finditer(r"\bif constexpr (?=\()|\bstatic_assert(?=\()|\bconstexpr\b(?! \()",
                             code[begin:end]):
        at = begin + match.end()
        stop = closing(code, at, "()") if code[at] == "(" else code.index(";", at)
        found.append((begin + match.start(), stop + 1))
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
    for function, begin, end, constant in device_functions(code):
        skipped = constants_in(code, begin, end) if constant else []
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
            if any(first <= match.start() < last for first, last in skipped):
                continue
            line = line_of(text, match.start(), match.end(), SHIFTED[match.group()])
            mutants.append(Mutant(path, function, "bound", line, match.start(), match.end(),
                                  constant))
    mutants.sort(key=lambda m: m.begin)
    seen = {}
    for mutant in mutants:
        mutant.occurrence = seen.get((mutant.function, mutant.text), 0) + 1
        seen[mutant.function, mutant.text] = mutant.occurrence
    return mutants


def write_all(text, mutants):
    """The source with all the given mutants in it; lines keep their numbers."""
    if not text.startswith("//"):
        raise ValueError("a kernel source opens with a comment")
    for mutant in sorted(mutants, key=lambda m: -m.begin):
        old = text[mutant.begin:mutant.end]
        if mutant.kind == "bound":
            where = "constant::" if mutant.constant else ""
            new = f"< ::mutant::{where}{NAMES[old]}({mutant.id}) >"
        else:
            new = f"{{ if (!::mutant::on({mutant.id})) {old} }}"
        text = text[:mutant.begin] + new + text[mutant.end:]
    # In the line of the comment, before `#pragma once`: mutant.h has one of its own.
    return '#include "scripts/mutation/mutant.h"  ' + text
