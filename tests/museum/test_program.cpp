// The program museum, and docs/museum.md, which quotes what it prints.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "apps/museum/exhibits.h"
#include "tests/apps/program.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

struct Block {
  std::string command, text;
};

// The blocks of a chapter that open with "```text " and a command line.
std::vector<Block> quoted_outputs(const std::string& chapter) {
  const std::string open = "```text ";
  std::vector<Block> blocks;
  std::istringstream lines(chapter);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (inside && line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back().text += line + "\n";
    } else if (line.starts_with(open)) {
      inside = true;
      blocks.push_back({line.substr(open.size()), ""});
    }
  }
  return blocks;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) {
    const std::size_t begin = std::min(word.find_first_not_of("("), word.size());
    const std::size_t end = word.find_last_not_of(",;:.)");
    words.push_back(end == std::string::npos || end < begin ? word
                                                            : word.substr(begin, end - begin + 1));
  }
  return words;
}

// Equal words. Numbers with a point may differ by 2% or by 1.5 of their last digit: another
// processor's vectors round differently, which thirty steps of training make visible.
bool close(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const std::size_t point = a.find('.');
  if (point == std::string::npos || b.find('.') == std::string::npos) return false;
  char *a_end = nullptr, *b_end = nullptr;
  const double x = std::strtod(a.c_str(), &a_end), y = std::strtod(b.c_str(), &b_end);
  if (*a_end != 0 || *b_end != 0) return false;
  const std::size_t decimals = a.size() - point - 1;
  const bool exponent = a.find('e') != std::string::npos;
  const double digit = exponent ? 0 : 1.5 * std::pow(10.0, -static_cast<double>(decimals));
  return std::abs(x - y) <= std::max(digit, 0.02 * std::max(std::abs(x), std::abs(y)));
}

bool close_texts(const std::string& a, const std::string& b) {
  const auto x = words_of(a), y = words_of(b);
  return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin(), close);
}

}  // namespace

TEST_CASE("museum lists its exhibits") {
  const Playground here;
  const Outcome outcome = here.run("museum");
  CHECK(outcome.status == 0);
  CHECK(outcome.err.empty());
  for (const museum::Exhibit& exhibit : museum::exhibits()) {
    CHECK(contains(outcome.out, std::string("  ") + exhibit.name + " "));
    CHECK(contains(outcome.out, exhibit.title));
  }
  CHECK(museum::exhibits().size() == 10);
}

TEST_CASE("museum refuses what it does not know, in one line, with status 2") {
  const Playground here;
  const Outcome unknown = here.run("museum mona-lisa");
  CHECK(unknown.status == 2);
  CHECK(unknown.out.empty());
  CHECK(one_line(unknown.err));
  CHECK(contains(unknown.err, "museum: there is no exhibit 'mona-lisa'"));
  CHECK(contains(unknown.err, "gan-loop"));

  const Outcome both = here.run("museum pca --all");
  CHECK(both.status == 2);
  CHECK(one_line(both.err));
  CHECK(contains(both.err, "not both"));

  const Outcome flag = here.run("museum --everything");
  CHECK(flag.status == 2);
  CHECK(one_line(flag.err));
  CHECK(here.run("museum pca elbo").status == 2);
}

TEST_CASE("docs/museum.md quotes what museum prints, of every exhibit, and each is short") {
  const Playground here;
  const Outcome list = here.run("museum"), all = here.run("museum --all");
  CHECK(list.status == 0);
  CHECK(all.status == 0);
  CHECK(all.err.empty());
  std::vector<Block> printed = {{"museum", list.out}};
  std::string joined;
  for (const museum::Exhibit& exhibit : museum::exhibits()) {
    // From one title, or from the empty line before it, to the next.
    const std::string title = std::string("== ") + exhibit.name + ": " + exhibit.title + "\n";
    const std::size_t begin = all.out.find(title);
    REQUIRE(begin != std::string::npos);
    const std::size_t next = all.out.find("\n\n== ", begin);
    const std::size_t length = next == std::string::npos ? next : next + 1 - begin;
    printed.push_back({std::string("museum ") + exhibit.name, all.out.substr(begin, length)});
    joined += (joined.empty() ? "" : "\n") + printed.back().text;
    for (const char* part : {"\nWrong: ", "\nRight: ", "\nWhat differs"}) {
      CHECK_MESSAGE(contains(printed.back().text, part), exhibit.name << " has no " << part);
    }
    const auto lines = std::count(printed.back().text.begin(), printed.back().text.end(), '\n');
    CHECK_MESSAGE(lines <= 25, exhibit.name << " prints " << lines << " lines");
  }
  CHECK(all.out == joined);  // all exhibits in their order, and nothing else

  const std::vector<Block> blocks =
      quoted_outputs(read_bytes(fs::path(IMAGO_SOURCE_DIR) / "docs" / "museum.md"));
  REQUIRE(blocks.size() == printed.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    CHECK(blocks[i].command == printed[i].command);  // in the order of the walk
    INFO("docs/museum.md quotes '" << blocks[i].command << "' as\n"
                                   << blocks[i].text << "but it prints\n"
                                   << printed[i].text << "scripts/quote_output.py mends that");
    CHECK(close_texts(blocks[i].text, printed[i].text));
  }
}

TEST_CASE("museum NAME shows that exhibit alone") {
  const Playground here;
  for (const museum::Exhibit& exhibit : museum::exhibits()) {
    const std::string name = exhibit.name;
    if (name == "gan-loop") continue;  // the one that takes seconds; --all has shown it
    CAPTURE(name);
    const Outcome outcome = here.run("museum " + name);
    CHECK(outcome.status == 0);
    CHECK(outcome.err.empty());
    CHECK(outcome.out.starts_with("== " + name + ": "));
    CHECK_FALSE(contains(outcome.out, "\n== "));
  }
}

TEST_CASE("quoted output is compared word by word, and numbers nearly") {
  CHECK(close_texts("D(real) 0.81, 3 of 8", "D(real)  0.82,\n3 of 8"));
  CHECK(close_texts("-1.78e+05", "-1.77e+05"));
  CHECK(close_texts("0.00 %", "0.01 %"));
  CHECK_FALSE(close_texts("0.81", "0.85"));
  CHECK_FALSE(close_texts("-1.78e+05", "-1.6e+05"));
  CHECK_FALSE(close_texts("3 of 8", "4 of 8"));
  CHECK_FALSE(close_texts("0.81", "nan"));
  CHECK_FALSE(close_texts("0.81", "0.81 0.81"));
  CHECK_FALSE(close_texts("4.5e-05", "0.0100"));
  CHECK_FALSE(close_texts("", "0.81"));
  CHECK(quoted_outputs("a\n```text museum pca\nb\n```\n```\nc\n```\n")[0].text == "b\n");
  CHECK(quoted_outputs("a\n```text museum pca\nb\n```\n```\nc\n```\n").size() == 1);
}
