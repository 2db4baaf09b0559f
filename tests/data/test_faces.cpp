#include "data/faces.h"

#include <doctest/doctest.h>

#include <cmath>

#include "data/procedural/dataset.h"
#include "pictures.h"
#include "tensor/context.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::data;
using namespace imago::data::test;
using namespace imago::test;

namespace {

void fill(const TemporaryFolder& scratch, int images) {
  for (int i = 0; i < images; ++i) {
    const auto key = static_cast<std::uint32_t>(i);
    write_bytes(scratch / ("p" + std::to_string(i)) / "face.png", png(noise(12 + i, 15, key)));
  }
}

}  // namespace

TEST_CASE("a stream counts steps from 1 and gives floats in [-1, 1]") {
  const TemporaryFolder scratch;
  fill(scratch, 11);
  const Faces faces(scratch.path(), {.size = 10, .batch = 3});
  CHECK(faces.size() == 11);
  CHECK(faces.batches_per_epoch() == 3);
  std::int64_t expected = 1;
  float low = 1, high = -1;
  for (auto&& [step, real] : faces.stream(7, Device::cpu())) {
    CHECK(step == expected++);
    REQUIRE(real.shape() == Shape{3, 10, 10, 3});
    REQUIRE(real.dtype() == DType::f32);
    for (std::int64_t i = 0; i < real.numel(); ++i) {
      low = std::min(low, real.data<float>()[i]);
      high = std::max(high, real.data<float>()[i]);
    }
  }
  CHECK(expected == 8);
  CHECK(low >= -1);
  CHECK(low < -0.9f);
  CHECK(high <= 1);
  CHECK(high > 0.9f);
}

TEST_CASE("a stream is the loader's batches, normalised") {
  const TemporaryFolder scratch;
  fill(scratch, 9);
  const Faces faces(scratch.path(), {.size = 8, .batch = 4, .seed = 5, .workers = 0});
  Loader loader(std::make_shared<FolderDataset>(scratch.path(), FolderOptions{.size = 8}),
                {.batch = 4, .seed = 5, .workers = 0});
  for (auto&& [step, real] : faces.stream(3)) {
    const Tensor bytes = loader.next();
    bool equal = true;
    for (std::int64_t i = 0; i < real.numel(); ++i) {
      const float wanted = static_cast<float>(bytes.data<std::uint8_t>()[i]) / 127.5f - 1.0f;
      equal = equal && std::abs(real.data<float>()[i] - wanted) <= 1e-6f;
    }
    CHECK(equal);
  }
  CHECK(loader.position() == 3);
}

TEST_CASE("a stream resumes after any step, with other workers too") {
  const TemporaryFolder scratch;
  fill(scratch, 10);
  std::vector<Tensor> expected;
  const Faces faces(scratch.path(), {.size = 8, .batch = 3, .seed = 2});
  for (auto&& [step, real] : faces.stream(8)) expected.push_back(real);
  REQUIRE(expected.size() == 8);
  for (const int workers : {0, 1, 3}) {
    const Faces again(scratch.path(),
                      {.size = 8, .batch = 3, .seed = 2, .workers = workers, .cache_bytes = 0});
    for (const std::int64_t start : {0, 4, 7}) {
      std::int64_t next = start;
      for (auto&& [step, real] : again.stream(8, Device::cpu(), start)) {
        CHECK(step == ++next);
        CHECK(same_bits(real, expected[static_cast<std::size_t>(step - 1)]));
      }
      CHECK(next == 8);
    }
  }
  for (const std::int64_t start : {8, 9}) {
    for (auto&& batch : faces.stream(8, Device::cpu(), start)) FAIL("step " << batch.step);
  }
  for (auto&& batch : faces.stream(0)) FAIL("step " << batch.step);
}

TEST_CASE("the first batch is that of step 1, whoever loads it") {
  const TemporaryFolder scratch;
  fill(scratch, 10);
  for (const bool flip : {false, true}) {
    for (const int workers : {0, 2}) {
      const Faces faces(scratch.path(),
                        {.size = 8, .batch = 5, .seed = 3, .workers = workers, .flip = flip});
      const Tensor first = faces.first_batch(Device::cpu());
      CHECK(first.shape() == Shape{5, 8, 8, 3});
      for (auto&& [step, real] : faces.stream(1, Device::cpu())) CHECK(same_bits(first, real));
      CHECK(same_bits(first, faces.first_batch(Device::cpu())));
    }
  }
}

TEST_CASE("the seed of manual_seed is the default") {
  const TemporaryFolder scratch;
  fill(scratch, 10);
  const ContextScope scope;
  const auto first = [&](const FacesOptions& options) {
    return Faces(scratch.path(), options).first_batch();
  };
  manual_seed(77);
  const Tensor by_context = first({.size = 8, .batch = 5});
  manual_seed(78);
  CHECK(same_bits(first({.size = 8, .batch = 5, .seed = 77}), by_context));
  CHECK(!same_bits(first({.size = 8, .batch = 5}), by_context));
}

TEST_CASE("procedural faces come as a data set and by name") {
  const ProceduralFacesOptions options{
      .size = 16, .seed = 4, .identities = 3, .images_per_identity = 2};
  for (const std::size_t cache : {default_cache_bytes, std::size_t{2 * 768}, std::size_t{0}}) {
    const ProceduralDataset dataset(options, cache);
    CHECK(dataset.size() == 6);
    CHECK(dataset.image_size() == 16);
    CHECK(dataset.describe() == "6 procedural faces of 3 people at 16 x 16, seed 4");
    RandomStream augment(1);
    FaceImage face;
    Image image(16, 16);
    for (int round = 0; round < 2; ++round) {
      for (std::int64_t i = 0; i < 6; ++i) {
        dataset.get(i, augment, image.pixels.data());
        ProceduralFaces(options).get(static_cast<std::size_t>(i), face);
        CHECK(image.pixels == face.rgb);
      }
    }
    CHECK(
        contains(error_of([&] { dataset.get(6, augment, image.pixels.data()); }), "image 6 of 6"));
  }
  CHECK(contains(error_of([&] { ProceduralDataset({.size = -1}); }), "size must be"));

  const auto first = [](std::uint64_t seed, int workers) {
    auto stream =
        Faces("procedural", {.size = 16, .batch = 4, .seed = seed, .workers = workers}).stream(1);
    return stream.begin()->real;
  };
  CHECK(Faces("procedural").size() == 10'000);
  CHECK(same_bits(first(1, 0), first(1, 3)));
  CHECK(!same_bits(first(1, 0), first(2, 0)));
}

TEST_CASE("problems come with names and advice") {
  const TemporaryFolder scratch;
  fill(scratch, 4);
  CHECK(contains(error_of([&] { Faces(scratch.path(), {}); }),
                 "has 4 images but the batch is 128; use a smaller batch"));
  CHECK(contains(error_of([&] { Faces("no/such/folder", {}); }), "no/such/folder: no such folder"));
  write_bytes(scratch / "p1" / "face.png", "broken");
  const Faces faces(scratch.path(), {.size = 8, .batch = 4});
  CHECK(contains(error_of([&] {
                   for (auto&& batch : faces.stream(5)) FAIL("step " << batch.step);
                 }),
                 "p1/face.png: not an image"));
  const Faces lenient(scratch.path(), {.size = 8, .batch = 4, .skip_broken = true});
  int steps = 0;
  for ([[maybe_unused]] auto&& batch : lenient.stream(5)) ++steps;
  CHECK(steps == 5);
  auto stream = lenient.stream(2);
  stream.begin();
  CHECK(contains(error_of([&] { stream.begin(); }), "only once"));
  CHECK(contains(error_of([&] { lenient.stream(2, Device::cpu(), -1); }), "not negative"));
}
