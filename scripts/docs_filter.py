#!/usr/bin/env python3
"""Doxygen's view of a header: `docs_filter.py HEADER` prints it with its comments marked for it.

The headers are written for people who read them: plain // comments above declarations or behind
them. Here the first block of a file becomes the description of the file, a block directly above a
declaration its documentation, and so does a comment behind one. Comments inside functions stay as
they are. What would mean something to Doxygen is escaped, and indented lines (formulas, examples)
stay verbatim.
"""
import re
import sys

SCOPE = re.compile(r"^(template\s*<.*>\s*)?(inline\s+)?"
                   r"(namespace|class|struct|union|enum)\b[^=(]*$", re.S)
STRINGS = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\'')


def escaped(text):
    text = re.sub(r"([\\@<>#&%$])", r"\\\1", text)
    return re.sub(r"\b(al|[Ee]q)\. ", r"\1.\\ ", text)  # does not end the first sentence


def marked(block, indent, start="/**"):
    """The lines of a comment, without their //, as one for Doxygen."""
    out, verbatim = [indent + start], False
    for text in block:
        text = text.replace("*/", "* /").replace("/*", "/ *")
        indented = text.startswith("   ")
        if indented != verbatim and text.strip():
            out.append("@verbatim" if indented else "@endverbatim")
            verbatim = indented
        out.append(text.rstrip() if verbatim else escaped(text.strip()))
    return out + ["@endverbatim"] * verbatim + ["*/"]


class Scopes:
    """Whether a place in the code is between declarations, or inside a function or a statement."""

    def __init__(self):
        self.open, self.statement, self.parentheses = [], "", 0

    def between_declarations(self):
        return all(self.open) and not self.parentheses

    def fresh(self):
        return self.between_declarations() and not self.statement.strip()

    def read(self, code):
        for c in STRINGS.sub("0", code) + "\n":
            if c == "{" and not self.parentheses:
                self.open.append(bool(SCOPE.match(self.statement.strip())))
                self.statement = ""
            elif c == "}" and not self.parentheses:
                self.open.pop()
                self.statement = ""
            elif c == ";" and not self.parentheses:
                self.statement = ""
            else:
                self.parentheses += (c == "(") - (c == ")")
                self.statement += c
        self.statement = re.sub(r"^\s*(public|private|protected)\s*:", "", self.statement)


def main(path):
    lines = open(path).read().split("\n")
    out, scopes, i, subject = [], Scopes(), 0, None
    if lines[0].startswith("//"):
        while lines[i].startswith("//"):
            i += 1
        about = [line[2:] for line in lines[:i]]
        out += marked(about, "", "/** @file")
        subject = re.match(r" (\w+): ", about[0])  # "Tensor: memory with ..." is about class Tensor
    while i < len(lines):
        line = lines[i]
        if re.match(r"\s*//", line):
            first = i
            while re.match(r"\s*//", lines[i]):
                i += 1
            above = scopes.fresh() and re.match(r"\s*[^\s}#]", lines[i])
            indent = re.match(r"\s*", line).group()
            block = [re.sub(r"^\s*//", "", one) for one in lines[first:i]]
            out += marked(block, indent) if above else lines[first:i]
            continue
        i += 1
        if line.startswith("#"):
            while line.endswith("\\"):
                out.append(line)
                line = lines[i]
                i += 1
            out.append(line)
            continue
        if subject and re.match(rf"(class|struct) {subject[1]}\b[^;]*$", line):
            out += marked(about, "")
        code, slashes, comment = line.partition("  // ")
        scopes.read(code)
        ends = re.search(r"[;,}]\s*$", code) and not code.startswith("}")
        if slashes and scopes.between_declarations() and ends:
            block = [comment]
            while re.match(r"\s{%d,}//" % (len(code) // 2), lines[i]):  # goes on below
                block.append(re.sub(r"^\s*//\s*", "", lines[i]))
                i += 1
            out.append(f"{code}  ///< " + escaped(" ".join(block)))
        else:
            out.append(line)
    print("\n".join(out))


main(sys.argv[1])
