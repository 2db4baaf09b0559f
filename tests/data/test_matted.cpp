// Data sets of more than three channels, and parts of data sets.
#include "data/procedural/matted.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "data/faces.h"
#include "data/loader.h"
#include "data/procedural/dataset.h"
#include "data/subset.h"
#include "data/transform.h"
#include "tensor/random_stream.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::data;
using namespace imago::test;

namespace {

const ProceduralFacesOptions few{.size = 16, .seed = 3, .identities = 5, .images_per_identity = 2};

std::vector<std::uint8_t> image(const Dataset& dataset, std::int64_t index) {
  const auto size = static_cast<std::size_t>(dataset.image_size());
  std::vector<std::uint8_t> bytes(size * size * static_cast<std::size_t>(dataset.channels()));
  RandomStream no_augmentation(0);
  dataset.get(index, no_augmentation, bytes.data());
  return bytes;
}

}  // namespace

TEST_CASE("matted faces are the procedural ones with the matte that they were drawn with") {
  const MattedFaces matted(few);
  const ProceduralDataset plain(few);
  const ProceduralFaces faces(few);
  REQUIRE(matted.size() == plain.size());
  CHECK(matted.channels() == 4);
  CHECK(plain.channels() == 3);
  CHECK(contains(matted.describe(), "mattes"));
  for (int time = 0; time < 2; ++time) {  // rendered, then from memory
    for (const std::int64_t index : {0, 7}) {
      const auto four = image(matted, index), three = image(plain, index);
      FaceImage face;
      faces.get(static_cast<std::size_t>(index), face);
      int wrong = 0, person = 0, background = 0;
      for (std::size_t i = 0; i < face.matte.size(); ++i) {
        for (std::size_t c = 0; c < 3; ++c) wrong += four[4 * i + c] != three[3 * i + c];
        wrong += four[4 * i + 3] != face.matte[i];
        person += face.matte[i] == 255;
        background += face.matte[i] == 0;
      }
      CHECK(wrong == 0);
      CHECK(person > 20);
      CHECK(background > 20);
    }
  }
  CHECK_THROWS_WITH_AS(image(matted, 10), doctest::Contains("image 10 of 10"), Error);
}

TEST_CASE("the loader mirrors a matte with its portrait, and a stream has all four channels") {
  const auto matted = std::make_shared<MattedFaces>(few);
  Loader loader(matted, {.batch = 10, .workers = 2, .shuffle = false});
  const Tensor batch = loader.next();
  REQUIRE(batch.shape() == Shape{10, 16, 16, 4});
  int mirrored = 0;
  for (std::int64_t index = 0; index < 10; ++index) {
    auto expected = image(*matted, index);
    const std::uint8_t* got = batch.data<std::uint8_t>() + index * 16 * 16 * 4;
    if (std::equal(expected.begin(), expected.end(), got)) continue;
    flip_horizontal(expected.data(), 16, 16, 4);
    CHECK(std::equal(expected.begin(), expected.end(), got));
    mirrored += 1;
  }
  CHECK(mirrored > 0);
  CHECK(mirrored < 10);

  const Faces faces(matted, {.batch = 4, .seed = 1});
  for (auto&& b : faces.stream(1, Device::cpu())) {
    CHECK(b.real.shape() == Shape{4, 16, 16, 4});
  }
}

TEST_CASE("a subset is a part of a data set, and two of them share no image") {
  const auto whole = std::make_shared<ProceduralDataset>(few);
  const Subset first(whole, {0, 1, 2, 3, 4, 5, 6}), last(whole, {7, 8, 9});
  CHECK(first.size() == 7);
  CHECK(last.size() == 3);
  CHECK(last.image_size() == 16);
  CHECK(Subset(std::make_shared<MattedFaces>(few), {1}).channels() == 4);
  CHECK(image(last, 0) == image(*whole, 7));
  CHECK(image(first, 6) == image(*whole, 6));
  CHECK(contains(last.describe(), "3 of 10 procedural faces"));
  CHECK_THROWS_WITH_AS(image(first, 7), doctest::Contains("image 7 of 7"), Error);
  CHECK_THROWS_WITH_AS(Subset(whole, {}), doctest::Contains("no images to take"), Error);
  CHECK_THROWS_WITH_AS(Subset(whole, {9, 10}), doctest::Contains("no image 10"), Error);
  CHECK_THROWS_WITH_AS(Subset(nullptr, {0}), doctest::Contains("no data set"), Error);
}
