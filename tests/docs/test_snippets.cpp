// The C++ in the book is compiled and run: each ```cpp block of docs/*.md must be, line by line, a
// part of a file in tests/docs/, of an example in apps/examples/ or of an exhibit in apps/museum/.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/files.h"

namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The ```cpp blocks of a chapter.
std::vector<Lines> snippets_of(const Lines& chapter) {
  std::vector<Lines> snippets;
  bool inside = false;
  for (const std::string& line : chapter) {
    if (inside && line == "```") {
      inside = false;
    } else if (inside) {
      snippets.back().push_back(line);
    } else if (line == "```cpp") {
      inside = true;
      snippets.emplace_back();
    }
  }
  return snippets;
}

// Whether the lines stand in the program one after the other, all of them indented by as much more.
bool contains(const Lines& program, const Lines& snippet) {
  if (snippet.empty() || program.size() < snippet.size()) return false;
  for (std::size_t start = 0; start + snippet.size() <= program.size(); ++start) {
    const std::string& first = program[start];
    if (!first.ends_with(snippet[0])) continue;
    const std::string indent = first.substr(0, first.size() - snippet[0].size());
    if (indent.find_first_not_of(' ') != std::string::npos) continue;
    bool equal = true;
    for (std::size_t i = 0; equal && i < snippet.size(); ++i) {
      const std::string expected = snippet[i].empty() ? "" : indent + snippet[i];
      equal = program[start + i] == expected;
    }
    if (equal) return true;
  }
  return false;
}

std::string joined(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("every snippet of the book is part of a program that is compiled and run") {
  const fs::path root = IMAGO_SOURCE_DIR;
  std::vector<Lines> programs;
  for (const char* folder : {"tests/docs", "apps/examples", "apps/museum"}) {
    for (const auto& entry : fs::directory_iterator(root / folder)) {
      if (entry.path().extension() != ".cpp") continue;
      programs.push_back(lines_of(imago::test::read_bytes(entry.path())));
    }
  }
  REQUIRE(programs.size() > 3);
  int snippets = 0;
  for (const auto& entry : fs::directory_iterator(root / "docs")) {
    if (entry.path().extension() != ".md") continue;
    for (const Lines& snippet : snippets_of(lines_of(imago::test::read_bytes(entry.path())))) {
      snippets += 1;
      const bool found = std::any_of(programs.begin(), programs.end(), [&](const Lines& program) {
        return contains(program, snippet);
      });
      INFO(entry.path().string() << " has a snippet that no program contains:\n"
                                 << joined(snippet));
      CHECK(found);
    }
  }
  CHECK(snippets > 10);
}

TEST_CASE("every chapter is in the index of the book, and the index names no other") {
  const fs::path docs = fs::path(IMAGO_SOURCE_DIR) / "docs";
  const std::string index = imago::test::read_bytes(docs / "README.md");
  int chapters = 0;
  for (const auto& entry : fs::directory_iterator(docs)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".md" || name == "README.md") continue;
    chapters += 1;
    CAPTURE(name);
    CHECK(index.find("](" + name + ")") != std::string::npos);
  }
  CHECK(chapters >= 4);
  for (std::size_t at = index.find("]("); at != std::string::npos; at = index.find("](", at + 1)) {
    const std::string target = index.substr(at + 2, index.find(')', at) - at - 2);
    CAPTURE(target);
    CHECK(fs::exists(docs / target));
  }
}

TEST_CASE("a snippet is found at any indentation, and only when every line is there") {
  const Lines program = {"int main() {", "  if (x) {", "    f();", "", "    g();", "  }", "}"};
  CHECK(contains(program, {"if (x) {", "  f();", "", "  g();", "}"}));
  CHECK(contains(program, {"g();"}));
  CHECK(contains(program, program));
  CHECK_FALSE(contains(program, {"if (x) {", "  f();", "  g();"}));
  CHECK_FALSE(contains(program, {"if (x) {", "f();"}));
  CHECK_FALSE(contains(program, {"f();", "", "h();"}));
  CHECK_FALSE(contains(program, {"(x) {"}));
  CHECK_FALSE(contains(program, {}));
  CHECK(snippets_of({"a", "```cpp", "b", "c", "```", "```", "d", "```"}) ==
        std::vector<Lines>{{"b", "c"}});
}
