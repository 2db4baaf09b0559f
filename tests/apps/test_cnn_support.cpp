// What training recognisers is made of: what is remembered of the data, what is held out, pictures.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "apps/support/catalogue_flags.h"
#include "apps/support/held_out.h"
#include "apps/support/recognition_pictures.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::apps;
using namespace imago::test;

namespace {

constexpr std::int64_t side = 8;
constexpr int cell = static_cast<int>(side) + 2;  // with the gap

// Images of one grey each, u8 (N, 8, 8, 3).
Tensor greys(const std::vector<std::uint8_t>& values) {
  const auto N = static_cast<std::int64_t>(values.size());
  Tensor images = Tensor::empty({N, side, side, 3}, DType::u8, Device::cpu());
  std::uint8_t* p = images.mutable_data<std::uint8_t>();
  for (const std::uint8_t value : values) p = std::fill_n(p, side * side * 3, value);
  return images;
}

int grey_of(const data::Image& sheet, int row, int column) {
  return *sheet.at(column * cell + 4, row * cell + 4);
}
// 'g', 'r' or ' ' for none.
char frame_of(const data::Image& sheet, int row, int column) {
  const std::uint8_t* p = sheet.at(column * cell, row * cell);
  if (p[0] == p[1] && p[1] == p[2]) return ' ';
  return p[1] > p[0] ? 'g' : 'r';
}

}  // namespace

TEST_CASE("flags of data survive a checkpoint, but for where the data are") {
  CatalogueFlags f;
  f.data = "/photos";
  f.labels = "/photos/list.txt";
  f.layout = "attribute-file";
  f.attribute = "Eyeglasses";
  f.crop = "0.2,0.3,0.5";
  f.positive = "yes";
  f.split = "stratified";
  f.held_out = 0.3;
  f.train_per_class = 7;
  f.split_seed = 1ull << 63;
  f.nuisances = "pose,light";
  f.label = "smile";
  f.identities = 3;
  f.images_per_identity = 4;
  f.data_seed = 9;
  const Json json = to_json(f);
  CHECK_FALSE(contains(json.dump(), "photos"));
  const CatalogueFlags back = catalogue_flags(Json::parse(json.dump()));
  CHECK(back.data.empty());
  CHECK(back.labels.empty());
  CHECK(to_json(back) == json);
  CHECK(back.split_seed == f.split_seed);
  CHECK(back.attribute == "Eyeglasses");
  CHECK(catalogue_flags(to_json(CatalogueFlags{})).data == "procedural");

  Json broken = json;
  broken.erase("split");
  CHECK(contains(error_of([&] { catalogue_flags(broken); }), "split"));
  broken = json;
  broken["held-out"] = "much";
  CHECK(contains(error_of([&] { catalogue_flags(broken); }), "held-out"));
}

TEST_CASE("the fingerprint of a catalogue tells names and classes") {
  data::Catalogue one;
  one.names = {"a/1", "a/2", "b/1"};
  one.labels = {{"a", "b"}, {0, 0, 1}};
  const std::string print = fingerprint(one);
  CHECK(print.size() == 8);
  CHECK(fingerprint(one) == print);
  data::Catalogue other = one;
  other.names[2] = "b/2";
  CHECK(fingerprint(other) != print);
  other = one;
  other.labels.images[1] = 1;
  CHECK(fingerprint(other) != print);
  other = one;
  other.labels.classes = {"a", "c"};
  CHECK(fingerprint(other) != print);
}

TEST_CASE("procedural faces are opened as the flags say") {
  CatalogueFlags f;
  f.identities = 3;
  f.images_per_identity = 4;
  const data::Catalogue all = open_catalogue(f, 16);
  CHECK(all.size() == 12);
  CHECK(all.labels.classes.size() == 3);
  CHECK(all.images->image_size() == 16);
  f.positive = "1";
  const data::Catalogue asked = open_catalogue(f, 16);
  CHECK(asked.labels.classes == std::vector<std::string>{"other", "1"});
  CHECK(asked.labels.counts() == std::vector<std::int64_t>{8, 4});
  // Without nuisances all images of a person are one.
  f.nuisances = "none";
  const data::Catalogue still = open_catalogue(f, 16);
  const Tensor images = data::load_images(*still.images, 0, 2);
  const auto* p = images.data<std::uint8_t>();
  const std::int64_t half = images.numel() / 2;
  CHECK(std::equal(p, p + half, p + half));
  f.nuisances = "light";
  const data::Catalogue lit = open_catalogue(f, 16);
  const Tensor different = data::load_images(*lit.images, 0, 2);
  const auto* q = different.data<std::uint8_t>();
  CHECK_FALSE(std::equal(q, q + half, q + half));
  f.nuisances = "weather";
  CHECK_THROWS_AS(open_catalogue(f, 16), UsageError);
}

TEST_CASE("neighbours are in order, and framed by whether they are of the same class") {
  const Tensor images = greys({10, 60, 110, 160});
  const Tensor similarity = Tensor::from<float>(
      {1, 0.2f, 0.9f, 0.5f, 0.2f, 1, 0.3f, 0.1f, 0.9f, 0.3f, 1, 0.4f, 0.5f, 0.1f, 0.4f, 1}, {4, 4});
  // Rows begin with the first image of each class, 0 and 2, then with the others.
  const data::Image sheet = nearest_picture(images, similarity, {7, 7, 5, 5});
  CHECK(sheet.width == 4 * cell - 2);
  CHECK(sheet.height == 4 * cell - 2);
  const std::array<std::array<int, 4>, 4> greys_of_rows = {
      {{10, 110, 160, 60}, {110, 10, 160, 60}, {60, 110, 10, 160}, {160, 10, 110, 60}}};
  const std::array<std::string, 4> frames = {" rrg", " rgr", " rgr", " rgr"};
  for (int r = 0; r < 4; ++r) {
    for (int c = 0; c < 4; ++c) {
      CAPTURE(r);
      CAPTURE(c);
      const auto row = static_cast<std::size_t>(r), column = static_cast<std::size_t>(c);
      CHECK(grey_of(sheet, r, c) == greys_of_rows[row][column]);
      CHECK(frame_of(sheet, r, c) == frames[row][column]);
    }
  }
  // At most eight rows of six, and one image alone is a picture too.
  std::vector<std::uint8_t> many(20);
  const data::Image full =
      nearest_picture(greys(many), Tensor::full({20, 20}, 0.5), std::vector<std::int64_t>(20, 1));
  CHECK(full.width == 6 * cell - 2);
  CHECK(full.height == 8 * cell - 2);
  CHECK(nearest_picture(greys({9}), Tensor::full({1, 1}, 1), {0}).width == cell - 2);
  CHECK_THROWS_AS(nearest_picture(images, similarity, {1, 2}), Error);
}

TEST_CASE("answers are framed by whether they are right") {
  std::vector<std::uint8_t> values(100);
  std::vector<std::int64_t> truth(100), answers(100);
  for (std::size_t i = 0; i < 100; ++i) {
    values[i] = static_cast<std::uint8_t>(2 * i);
    answers[i] = i % 4 == 0 ? 1 : 0;
  }
  const data::Image sheet = answers_picture(greys(values), truth, answers);
  CHECK(sheet.width == 8 * cell - 2);
  CHECK(sheet.height == 8 * cell - 2);
  for (int c = 0; c < 64; ++c) {
    CAPTURE(c);
    const int image = c * 100 / 64;
    CHECK(grey_of(sheet, c / 8, c % 8) == 2 * image);
    CHECK(frame_of(sheet, c / 8, c % 8) == (image % 4 == 0 ? 'r' : 'g'));
  }
  const data::Image few = answers_picture(greys({1, 2, 3}), {0, 1, 1}, {0, 1, 0});
  CHECK(few.width == 3 * cell - 2);
  CHECK(frame_of(few, 0, 1) == 'g');
  CHECK(frame_of(few, 0, 2) == 'r');
}

TEST_CASE("what is held out is chosen by the seed alone, whole people at a time") {
  CatalogueFlags f;
  f.identities = 6;
  f.images_per_identity = 3;
  const data::Catalogue all = open_catalogue(f, 32);
  const std::vector<std::string> known = {"4", "1"};
  HeldOut people(all, true, {}, 1), classes(all, false, known, 1), both(all, true, known, 1);
  CHECK(people.verifies());
  CHECK_FALSE(people.classifies());
  CHECK(people.people() == 6);
  CHECK(people.pairs_images() == 18);
  CHECK(classes.classifies());
  CHECK_FALSE(classes.verifies());
  CHECK(classes.class_images() == 6);
  CHECK(classes.chance() == 0.5);
  CHECK(contains(error_of([&] { people.picture(); }), "nothing was measured"));

  models::RecogniserOptions options;
  options.cnn = {.image = 32, .base = 2, .dimensions = 8};
  options.classes = known;
  const models::Recogniser network(options);
  const HeldOutMeasure m = both.measure(network), again = both.measure(network);
  REQUIRE(m.auc);
  REQUIRE(m.accuracy);
  CHECK(*m.auc == *again.auc);
  CHECK(*m.accuracy == *again.accuracy);
  REQUIRE(m.verification_accuracy);
  CHECK(*m.verification_accuracy >= 0.5);
  CHECK(*m.verification_accuracy <= 1);
  CHECK(*m.verification_accuracy == *again.verification_accuracy);
  CHECK_FALSE(classes.measure(network).verification_accuracy);
  CHECK(*m.auc == *people.measure(network).auc);
  // As many of either class: the mean of the shares is the share.
  CHECK(*m.accuracy == doctest::Approx(*m.balanced_accuracy));
  CHECK(*m.accuracy == *classes.measure(network).accuracy);
  CHECK_FALSE(people.measure(network).accuracy);
  CHECK(classes.picture().width == 6 * 34 - 2);

  // One image of each person, or one person: no pairs to verify by.
  CHECK_FALSE(HeldOut(data::take(all, {0, 3, 6}), true, {}, 1).verifies());
  CHECK_FALSE(HeldOut(data::take(all, {0, 1, 2}), true, {}, 1).verifies());
  CHECK_FALSE(HeldOut(data::take(all, {0, 1, 2}), false, known, 1).classifies());
}
