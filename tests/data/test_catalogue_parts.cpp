// What is done with catalogues: rendered ones, parts of them, other classes, and their images.
#include <doctest/doctest.h>

#include <algorithm>

#include "data/catalogue.h"
#include "data/procedural/dataset.h"
#include "kernels/parallel.h"
#include "tensor/context.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::data;
using namespace imago::test;

namespace {

using Strings = std::vector<std::string>;
using Indices = std::vector<std::int64_t>;

// Image i begins with i, and goes on with what is drawn for it. Some cannot be had.
class Numbers final : public Dataset {
 public:
  explicit Numbers(Indices broken = {}) : broken_(std::move(broken)) {}
  std::int64_t size() const override { return 20; }
  int image_size() const override { return 2; }
  int channels() const override { return 4; }
  std::string describe() const override { return "numbers"; }
  void get(std::int64_t index, RandomStream& augment, std::uint8_t* out) const override {
    check(std::count(broken_.begin(), broken_.end(), index) == 0, "numbers", "broken: ", index);
    out[0] = static_cast<std::uint8_t>(index);
    for (int i = 1; i < 2 * 2 * 4; ++i) out[i] = static_cast<std::uint8_t>(augment.below(256));
  }

 private:
  Indices broken_;
};

// Image i is of class i % 3, and every fifth one is to test with.
Catalogue numbers() {
  Catalogue catalogue;
  catalogue.images = std::make_shared<Numbers>();
  catalogue.labels.classes = {"a", "b", "c"};
  for (std::int64_t i = 0; i < 20; ++i) {
    catalogue.labels.images.push_back(i % 3);
    catalogue.names.push_back("n" + std::to_string(i));
    catalogue.parts.push_back(i % 5 == 0 ? Part::test : Part::train);
  }
  catalogue.layout = "parts";
  return catalogue;
}

std::vector<std::uint8_t> image(const Dataset& dataset, std::int64_t index, RandomStream augment) {
  const auto size = static_cast<std::size_t>(dataset.image_size());
  std::vector<std::uint8_t> bytes(size * size * static_cast<std::size_t>(dataset.channels()));
  dataset.get(index, augment, bytes.data());
  return bytes;
}

}  // namespace

TEST_CASE("catalogue: rendered people, by identity and by expression") {
  const ProceduralFacesOptions people{
      .size = 8, .seed = 3, .identities = 6, .images_per_identity = 4};
  const ProceduralDataset rendered(people);
  for (const char* label : {"identity", "expression"}) {
    const Catalogue catalogue = procedural_catalogue(people, label);
    REQUIRE(catalogue.size() == 24);
    REQUIRE(catalogue.names.size() == 24);
    REQUIRE(catalogue.labels.images.size() == 24);
    CHECK(catalogue.layout == "procedural");
    CHECK(catalogue.parts.empty());
    for (std::uint32_t i = 0; i < 24; ++i) {
      const std::uint32_t person = i / 4, photo = i % 4;
      CHECK(catalogue.names[i] == std::to_string(person) + "/" + std::to_string(photo));
      const std::string& is =
          catalogue.labels.classes.at(static_cast<std::size_t>(catalogue.labels.images[i]));
      if (std::string(label) == "identity") {
        CHECK(is == std::to_string(person));
      } else {
        CHECK(is == data::name(sample_nuisance(people.seed, person, photo).expression));
      }
    }
    CHECK(image(*catalogue.images, 13, RandomStream(1)) == image(rendered, 13, RandomStream(1)));
  }
  // Whom an image shows is told where the class does not say it.
  CHECK(procedural_catalogue(people, "identity").people.empty());
  const Catalogue beards = procedural_catalogue(people, "beard");
  REQUIRE(beards.people.size() == 24);
  for (std::size_t i = 0; i < 24; ++i) CHECK(beards.people[i] == static_cast<std::int64_t>(i / 4));
  CHECK(take(beards, {23, 0, 4}).people == Indices{5, 0, 1});
  CHECK(procedural_catalogue(people, "identity").labels.classes.size() == 6);
  CHECK(procedural_catalogue(people, "expression").labels.classes.size() == expression_count);
  CHECK(contains(error_of([&] { procedural_catalogue(people, "hat"); }), "choose one of identity"));
}

TEST_CASE("catalogue: some of the images, with what is known of them") {
  const Catalogue whole = numbers();
  const Catalogue part = take(whole, {10, 0, 4, 10});
  CHECK(part.size() == 4);
  CHECK(part.names == Strings{"n10", "n0", "n4", "n10"});
  CHECK(part.labels.images == Indices{1, 0, 1, 1});
  CHECK(part.labels.classes == Strings{"a", "b", "c"});  // also that of no image
  CHECK(part.parts == std::vector<Part>{Part::test, Part::test, Part::train, Part::test});
  CHECK(part.layout == "parts");
  CHECK(part.images->channels() == 4);
  CHECK(image(*part.images, 2, RandomStream(7)) == image(*whole.images, 4, RandomStream(7)));
  const Catalogue again = take(part, {1});
  CHECK(again.names == Strings{"n0"});
  CHECK(image(*again.images, 0, RandomStream(7)) == image(*whole.images, 0, RandomStream(7)));
  Catalogue without = numbers();
  without.parts.clear();
  CHECK(take(without, {3}).parts.empty());
  CHECK(contains(error_of([&] { take(whole, {3, 20}); }), "no image 20 among 20"));
  CHECK(contains(error_of([&] { take(whole, {-1}); }), "no image -1"));
  CHECK(contains(error_of([&] { take(whole, {}); }), "no images to take"));
}

TEST_CASE("catalogue: classes without images can be left out") {
  const Labels kept = without_empty_classes({{"a", "b", "c", "d"}, {3, 1, 3}});
  CHECK(kept.classes == Strings{"b", "d"});
  CHECK(kept.images == Indices{1, 0, 1});
  const Labels full = without_empty_classes({{"a", "b"}, {1, 0}});
  CHECK(full.classes == Strings{"a", "b"});
  CHECK(full.images == Indices{1, 0});
}

TEST_CASE("catalogue: one class against all others") {
  const Labels labels{{"a", "b", "c"}, {0, 1, 2, 1}};
  const Labels two = one_against_others(labels, "b");
  CHECK(two.classes == Strings{"other", "b"});
  CHECK(two.images == Indices{0, 1, 0, 1});
  CHECK(one_against_others(labels, "a").images == Indices{1, 0, 0, 0});
  CHECK(contains(error_of([&] { one_against_others(labels, "z"); }), "no class 'z'"));
}

TEST_CASE("catalogue: images at once are those that one gets one by one, on any threads") {
  const Numbers numbers;
  const ContextScope scope;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    const std::int64_t shared = Context::current().shared_regions;
    const Tensor batch = load_images(numbers, 5, 16);
    CHECK((threads == 1 || !has_threads || Context::current().shared_regions > shared));
    REQUIRE(batch.shape() == Shape{11, 2, 2, 4});
    REQUIRE(batch.dtype() == DType::u8);
    for (std::int64_t i = 0; i < 11; ++i) {
      const auto expected =
          image(numbers, 5 + i, RandomStream(0, 0, static_cast<std::uint32_t>(5 + i)));
      CHECK(std::equal(expected.begin(), expected.end(), batch.data<std::uint8_t>() + i * 16));
      CHECK(expected[0] == 5 + i);
    }
  }
}

TEST_CASE("catalogue: the first image that cannot be had is the error, on any threads") {
  const Numbers numbers({17, 6, 12, 2});
  const ContextScope scope;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    CHECK(error_of([&] { load_images(numbers, 5, 20); }) == "[numbers] broken: 6");
    CHECK(error_of([&] { load_images(numbers, 7, 20); }) == "[numbers] broken: 12");
    CHECK(error_of([&] { load_images(numbers, 7, 12); }).empty());
  }
  for (const auto& [begin, end] : {std::pair{-1, 2}, {3, 3}, {5, 21}}) {
    CHECK(contains(error_of([&, b = begin, e = end] { load_images(numbers, b, e); }),
                   "are not a part of numbers"));
  }
}
