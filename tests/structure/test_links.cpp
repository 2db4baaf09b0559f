// The chapters name each other and their pictures: what they name is there.
#include <doctest/doctest.h>

#include <filesystem>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/files.h"

namespace {

namespace fs = std::filesystem;

const fs::path root = IMAGO_SOURCE_DIR;

// The targets of links and images of a text in Markdown that are files of the source tree, without
// their anchors. Code holds no links, though "[](int)" looks like one.
std::vector<std::string> linked_files(const std::string& markdown) {
  static const std::regex code("`[^`]*`"), link(R"(\]\(([^)\s]*)[^)]*\))");
  static const std::regex elsewhere("[a-z]+:.*");
  std::vector<std::string> files;
  bool fenced = false;
  std::istringstream lines(markdown);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) fenced = !fenced;
    if (fenced) continue;
    const std::string text = std::regex_replace(line, code, "");
    for (std::sregex_iterator at(text.begin(), text.end(), link), end; at != end; ++at) {
      const std::string target = (*at)[1];
      const std::string file = target.substr(0, target.find('#'));
      if (!file.empty() && !std::regex_match(file, elsewhere)) files.push_back(file);
    }
  }
  return files;
}

}  // namespace

TEST_CASE("links and images of the README and of the chapters name files that exist") {
  std::vector<fs::path> texts = {root / "README.md"};
  for (const auto& entry : fs::directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") texts.push_back(entry.path());
  }
  CHECK(texts.size() > 10);
  std::size_t links = 0;
  for (const fs::path& text : texts) {
    for (const std::string& file : linked_files(imago::test::read_bytes(text))) {
      links += 1;
      INFO(text.string() << " names " << file);
      CHECK(fs::exists(text.parent_path() / file));
    }
  }
  CHECK(links > 20);
}

TEST_CASE("links of Markdown are found, and code is none") {
  const std::vector<std::string> found = linked_files(
      "See [a](a.md), ![b](images/b.png \"B\") and\n[c](../c.md#part): [this](#here),\n"
      "[the web](https://example.org/a.md) and `[](int x) { f(x); }`.\n"
      "```cpp\n[](float y) { g(y); };\n```\n[d](d/)\n");
  CHECK(found == std::vector<std::string>{"a.md", "images/b.png", "../c.md", "d/"});
}
