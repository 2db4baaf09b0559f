#include <charconv>
#include <cstdio>
#include <map>
#include <set>

#include "data/catalogue.h"
#include "data/text_lines.h"
#include "tensor/error.h"

namespace imago::data {
namespace {

namespace fs = std::filesystem;

std::optional<int> whole_number(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1) return {};
  return value;
}

// A line of the list: two images by name and number.
struct NamedPair {
  std::string a, b;
  int image_a = 0, image_b = 0, line = 0, fold = 0;
};

struct NamedPairs {
  std::vector<NamedPair> pairs;
  int folds = 1;
};

NamedPairs parse(const fs::path& file) {
  NamedPairs list;
  std::int64_t each = 0, wanted = 0;
  for_each_line("pairs", file, [&](int number, const std::string& text) {
    const std::vector<std::string> words = words_of(text);
    if (words.empty()) return;
    const auto line_is = [&](bool good, const auto&... why) {
      check(good, "pairs", file.native(), ", line ", number, ": ", why...);
    };
    if (each == 0) {
      const std::optional<int> folds = words.size() == 2 ? whole_number(words[0]) : 1;
      const std::optional<int> pairs = whole_number(words.back());
      line_is(words.size() <= 2 && folds && pairs,
              "expects the number of folds and of pairs, such as '10 300', but it is '", text, "'");
      list.folds = *folds;
      each = *pairs;
      wanted = 2 * each * list.folds;
      return;
    }
    const auto index = static_cast<std::int64_t>(list.pairs.size());
    line_is(index < wanted, "there are more than the ", wanted, " pairs that line 1 says");
    const bool same = index % (2 * each) < each;
    line_is(words.size() == (same ? 3u : 4u), "expects ",
            same ? "a name and two numbers" : "a name, a number, a name and a number",
            ", but it is '", text, "'");
    const std::optional<int> a = whole_number(words[1]), b = whole_number(words.back());
    line_is(a && b, "an image is not a number from 1 on in '", text, "'");
    line_is(same || words[0] != words[2], "two people of one name, ", words[0]);
    list.pairs.push_back({words[0], same ? words[0] : words[2], *a, *b, number,
                          static_cast<int>(index / (2 * each))});
  });
  check(each > 0, "pairs", file.native(), " is empty");
  check(static_cast<std::int64_t>(list.pairs.size()) == wanted, "pairs", file.native(), " has ",
        list.pairs.size(), " pairs but line 1 says ", wanted);
  return list;
}

// "Anna_Smith_0001", the name of a file without folder and extension.
std::string stem_of(const std::string& person, int image) {
  char number[16];
  std::snprintf(number, sizeof number, "_%04d", image);
  return person + number;
}

}  // namespace

PairList read_pairs(const fs::path& file, const Catalogue& catalogue) {
  std::map<std::string, std::int64_t> by_stem;
  std::set<std::string> twice;  // in two folders, or with two extensions
  for (std::size_t i = 0; i < catalogue.names.size(); ++i) {
    const std::string stem = fs::path(catalogue.names[i]).stem().string();
    const auto [at, fresh] = by_stem.emplace(stem, static_cast<std::int64_t>(i));
    const std::string& first = catalogue.names[static_cast<std::size_t>(at->second)];
    if (!fresh && first != catalogue.names[i]) twice.insert(stem);
  }
  const NamedPairs named = parse(file);
  PairList list;
  list.folds = named.folds;
  for (const NamedPair& pair : named.pairs) {
    const auto find = [&](const std::string& person, int image) {
      const auto at = by_stem.find(stem_of(person, image));
      check(at != by_stem.end(), "pairs", file.native(), ", line ", pair.line, ": there is no ",
            stem_of(person, image), " among the ", catalogue.size(), " images");
      check(!twice.contains(at->first), "pairs", file.native(), ", line ", pair.line,
            ": two files are named ", at->first, "; one is ",
            catalogue.names[static_cast<std::size_t>(at->second)]);
      return at->second;
    };
    const std::int64_t a = find(pair.a, pair.image_a), b = find(pair.b, pair.image_b);
    const bool same = pair.a == pair.b;
    const std::vector<std::int64_t>& labels = catalogue.labels.images;
    const bool one_class =
        labels.at(static_cast<std::size_t>(a)) == labels.at(static_cast<std::size_t>(b));
    check(same == one_class, "pairs", file.native(), ", line ", pair.line, ": ",
          stem_of(pair.a, pair.image_a), " and ", stem_of(pair.b, pair.image_b), " are of ",
          one_class ? "one class" : "two classes", " of the images, but of ",
          same ? "one person" : "two people",
          " by the list; are the classes of the images people?");
    list.pairs.push_back({a, b, same, pair.fold});
  }
  return list;
}

std::vector<std::string> people_of_pairs(const fs::path& file) {
  std::set<std::string> people;
  for (const NamedPair& pair : parse(file).pairs) {
    people.insert(pair.a);
    people.insert(pair.b);
  }
  return {people.begin(), people.end()};
}

}  // namespace imago::data
