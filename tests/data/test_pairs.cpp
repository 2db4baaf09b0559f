// Lists of pairs, as they come with LFW.
#include <doctest/doctest.h>

#include <map>
#include <memory>

#include "data/catalogue.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::data;
using namespace imago::test;

namespace {

using Strings = std::vector<std::string>;

// Images that nobody looks at.
class Unseen final : public Dataset {
 public:
  explicit Unseen(std::int64_t size) : size_(size) {}
  std::int64_t size() const override { return size_; }
  int image_size() const override { return 1; }
  std::string describe() const override { return "unseen"; }
  void get(std::int64_t index, RandomStream&, std::uint8_t*) const override {
    fail("unseen", "image ", index, " was asked for");
  }

 private:
  std::int64_t size_;
};

Catalogue named(const Strings& names) {
  Catalogue catalogue;
  catalogue.images = std::make_shared<Unseen>(static_cast<std::int64_t>(names.size()));
  catalogue.names = names;
  std::map<std::string, std::int64_t> numbers;
  for (const std::string& name : names) {
    const std::string stem = fs::path(name).stem().string();
    const std::string person = stem.substr(0, stem.rfind('_'));
    const auto [at, fresh] = numbers.emplace(person, numbers.size());
    if (fresh) catalogue.labels.classes.push_back(person);
    catalogue.labels.images.push_back(at->second);
  }
  return catalogue;
}

const Strings people = {"Anna/Anna_0001.png", "Anna/Anna_0002.jpg", "Bo_0001.JPG",
                        "lfw/Bo/Bo_0013.pgm", "Cy_Lee/Cy_Lee_0001.jpg"};

const std::string two_folds =
    "2\t1\n"
    "Anna\t1\t2\n"
    "Anna\t1\tBo\t1\n"
    "Bo\t1\t13\n"
    "Cy_Lee\t1\tAnna\t2\n";

class PairFile {
 public:
  fs::path of(const std::string& text) const { return write_bytes(scratch_ / "pairs.txt", text); }
  std::string error(const std::string& text, const Strings& names = people) const {
    return error_of([&] { read_pairs(of(text), named(names)); });
  }

 private:
  TemporaryFolder scratch_;
};

// "0-1 same 0": the images, whether they are of one person, the fold.
Strings told(const PairList& list) {
  Strings all;
  for (const Pair& p : list.pairs) {
    all.push_back(std::to_string(p.a) + "-" + std::to_string(p.b) +
                  (p.same ? " same " : " other ") + std::to_string(p.fold));
  }
  return all;
}

}  // namespace

TEST_CASE("pairs: folds of pairs of one person and of two") {
  const PairFile file;
  const Strings expected = {"0-1 same 0", "0-2 other 0", "2-3 same 1", "4-1 other 1"};
  const PairList list = read_pairs(file.of(two_folds), named(people));
  CHECK(list.folds == 2);
  CHECK(told(list) == expected);
  // As Windows writes it, with a mark, spaces and empty lines.
  std::string windows = "\xef\xbb\xbf";
  for (const char c : two_folds) windows += c == '\n' ? "\r\n\r\n" : std::string(1, c);
  CHECK(told(read_pairs(file.of(windows), named(people))) == expected);
  std::string spaces = two_folds;
  for (char& c : spaces) c = c == '\t' ? ' ' : c;
  CHECK(told(read_pairs(file.of(spaces), named(people))) == expected);
}

TEST_CASE("pairs: a list without folds is one of a single fold") {
  const PairFile file;
  const std::string text =
      "2\n"
      "Anna\t1\t2\n"
      "Bo\t13\t1\n"
      "Anna\t1\tBo\t1\n"
      "Cy_Lee\t1\tAnna\t2";
  const PairList list = read_pairs(file.of(text), named(people));
  CHECK(list.folds == 1);
  CHECK(told(list) == Strings{"0-1 same 0", "3-2 same 0", "0-2 other 0", "4-1 other 0"});
}

TEST_CASE("pairs: the people of a list, each once") {
  const PairFile file;
  CHECK(people_of_pairs(file.of(two_folds)) == Strings{"Anna", "Bo", "Cy_Lee"});
  CHECK(people_of_pairs(file.of("1\nb 1 2\nC 1 a 1\n")) == Strings{"C", "a", "b"});
}

TEST_CASE("pairs: a line that is wrong is named") {
  const PairFile file;
  const auto error = [&](const std::string& text) { return file.error(text); };
  for (const char* head :
       {"Anna\t1\t2\n", "ten\t300\n", "10\tmany\n", "0\t3\n", "2\t-1\n", "2.5\n"}) {
    CAPTURE(head);
    CHECK(contains(error(head), "pairs.txt, line 1: expects the number of folds"));
  }
  CHECK(contains(error(""), "is empty"));
  CHECK(contains(error("1\nAnna\t1\tBo\t1\nAnna\t1\t2\n"),
                 "pairs.txt, line 2: expects a name and two numbers"));
  CHECK(contains(error("1\nAnna\t1\t2\nBo\t1\t13\n"),
                 "pairs.txt, line 3: expects a name, a number, a name and a number"));
  CHECK(contains(error("1\nAnna\t1\tx\n"), "line 2: an image is not a number"));
  CHECK(contains(error("1\nAnna\t0\t1\n"), "line 2: an image is not a number from 1"));
  CHECK(contains(error("1\nAnna\t1\t2\nBo\t1\tBo\t13\n"), "line 3: two people of one name, Bo"));
  CHECK(contains(error(two_folds + "Anna\t1\t2\n"), "line 6: there are more than the 4 pairs"));
  const std::size_t last = two_folds.find("Cy_Lee");
  CHECK(contains(error(two_folds.substr(0, last)), "has 3 pairs but line 1 says 4"));
  CHECK(contains(error_of([] { read_pairs("nowhere/pairs.txt", named(people)); }), "cannot read"));
}

TEST_CASE("pairs: an image that is not there, or is there twice, is named") {
  const PairFile file;
  CHECK(contains(file.error("1\nAnna\t1\t3\nAnna\t1\tBo\t1\n"),
                 "pairs.txt, line 2: there is no Anna_0003 among the 5 images"));
  CHECK(contains(file.error("1\nAnna\t1\t2\nAnna\t1\tDee\t1\n"), "line 3: there is no Dee_0001"));
  Strings twice = people;
  twice.push_back("more/Bo_0001.png");
  CHECK(contains(file.error(two_folds, twice), "pairs.txt, line 3: two files are named Bo_0001"));
  // Twins that no line mentions do no harm, nor does an image that was taken twice.
  twice.back() = "more/Cy_Lee_0002.png";
  twice.push_back("Cy_Lee_0002.png");
  twice.push_back("Bo_0001.JPG");
  CHECK(file.error(two_folds, twice).empty());
}

TEST_CASE("pairs: classes that are not the people of the list are named") {
  const PairFile file;
  Catalogue moods = named(people);
  moods.labels = {{"happy", "sad"}, {0, 1, 0, 0, 0}};
  const auto refused = [&](const std::string& text) {
    return error_of([&] { read_pairs(file.of(text), moods); });
  };
  CHECK(contains(refused(two_folds), "line 2: Anna_0001 and Anna_0002 are of two classes"));
  CHECK(contains(refused("1\nBo\t1\t13\nAnna\t1\tBo\t1\n"),
                 "line 3: Anna_0001 and Bo_0001 are of one"));
}
