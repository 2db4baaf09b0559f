#include "data/transform.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "pictures.h"

using namespace imago;
using namespace imago::data;
using namespace imago::data::test;
using namespace imago::test;

namespace {

Image checkerboard(int width, int height, int cell) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const bool white = (x / cell + y / cell) % 2 != 0;
      std::fill_n(image.at(x, y), 3, static_cast<std::uint8_t>(white ? 255 : 0));
    }
  }
  return image;
}

}  // namespace

TEST_CASE("centre_crop takes the middle") {
  Image image = noise(7, 4);
  Image middle = centre_crop(image);
  CHECK(middle.width == 4);
  CHECK(middle.height == 4);
  CHECK(std::equal(middle.at(0, 2), middle.at(0, 2) + 12, image.at(1, 2)));
  middle = centre_crop(noise(4, 9));
  CHECK(middle.height == 4);
  const Box wide = centre_box(100, 100, 2.0);
  CHECK(wide.x == 0);
  CHECK(wide.y == 25);
  CHECK(wide.width == 100);
  CHECK(wide.height == 50);
  CHECK(centre_box(1000, 1, 0.001).width == 1);
  CHECK(centre_box(1, 1000, 100.0).height == 1);
  CHECK(centre_crop(image, 7.0 / 4.0) == image);
  CHECK(contains(error_of([&] { crop(image, {4, 0, 4, 4}); }), "leaves the image of 7 x 4"));
  CHECK(contains(error_of([&] { crop(image, {0, 0, 0, 4}); }), "leaves the image"));
  CHECK(contains(error_of([&] { centre_box(3, 3, NAN); }), "aspect"));
}

TEST_CASE("shrinking a fine checkerboard gives its mean, not a pattern") {
  for (const int size : {64, 37, 16, 5, 1}) {
    const Image small = resize(checkerboard(256, 256, 1), size, size);
    CAPTURE(size);
    const auto [low, high] = std::minmax_element(small.pixels.begin(), small.pixels.end());
    // Only the repeated edge lets a little of the pattern through.
    CHECK(*low >= 120);
    CHECK(*high <= 135);
    double sum = 0;
    for (const auto p : small.pixels) sum += p;
    CHECK(std::abs(sum / static_cast<double>(small.pixels.size()) - 127.5) <= 1.0);
  }
}

TEST_CASE("resizing keeps constants, the mean of a picture and a smooth ramp") {
  Image flat(50, 30);
  std::fill(flat.pixels.begin(), flat.pixels.end(), std::uint8_t{201});
  for (const auto& [w, h] : {std::pair{64, 64}, {7, 3}, {1, 1}, {200, 1}}) {
    const Image out = resize(flat, w, h);
    CHECK(std::all_of(out.pixels.begin(), out.pixels.end(), [](auto p) { return p == 201; }));
  }
  const Image small = resize(ramp(240, 240), 60, 60), ideal = ramp(60, 60);
  int worst = 0;
  for (std::size_t i = 0; i < small.pixels.size(); ++i) {
    worst = std::max(worst, std::abs(small.pixels[i] - ideal.pixels[i]));
  }
  CHECK(worst <= 3);
  const Image same = noise(17, 9);
  CHECK(resize(same, 17, 9) == same);
  CHECK(contains(error_of([&] { resize(same, 0, 4); }), "cannot make an image of 0 x 4"));
  CHECK(contains(error_of([&] { resize(Image{}, 4, 4); }), "is empty"));
}

TEST_CASE("any shape becomes a square") {
  for (const auto& [w, h] : {std::pair{1, 1}, {1, 9}, {9, 1}, {30000, 2}, {3, 20000}, {65, 64}}) {
    const Image out = square(noise(w, h), 64);
    CHECK(out.width == 64);
    CHECK(out.height == 64);
    CHECK(out.pixels.size() == 64 * 64 * 3);
  }
  const Image dot = noise(1, 1);
  const Image out = square(dot, 8);
  for (int i = 0; i < 64; ++i)
    CHECK(std::equal(dot.at(0, 0), dot.at(0, 0) + 3, out.at(i % 8, i / 8)));
}

TEST_CASE("mirroring mirrors, and twice is the identity") {
  for (const auto& [w, h] : {std::pair{6, 3}, {7, 3}, {1, 4}}) {
    for (const int channels : {1, 3}) {
      const Image image = noise(w, h, 5, channels);
      Image mirrored = image;
      flip_horizontal(mirrored);
      bool right = true;
      for (int y = 0; y < h; ++y) {
        for (int x = 0; x < w; ++x) {
          right = right &&
                  std::equal(image.at(x, y), image.at(x, y) + channels, mirrored.at(w - 1 - x, y));
        }
      }
      CHECK(right);
      flip_horizontal(mirrored);
      CHECK(mirrored == image);
    }
  }
}

TEST_CASE("resizing gives the same bits on several threads at once") {
  const Image image = noise(123, 77);
  const Image expected = resize(image, 50, 41);
  std::vector<std::thread> threads;
  int equal[4] = {};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) equal[t] += resize(image, 50, 41) == expected;
    });
  }
  for (auto& thread : threads) thread.join();
  for (const int n : equal) CHECK(n == 10);
}

TEST_CASE("a face is loaded as networks take it") {
  const imago::test::TemporaryFolder folder;
  Image image(6, 4);  // the middle square is columns 1 to 4
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<std::uint8_t>(3 * i);
  }
  save_png(folder / "face.png", image);
  const Tensor face = load_face(folder / "face.png", 4);
  REQUIRE(face.shape() == Shape{1, 4, 4, 3});
  REQUIRE(face.dtype() == DType::f32);
  const auto* x = face.data<float>();
  for (int row = 0; row < 4; ++row) {
    for (int column = 0; column < 4; ++column) {
      for (int c = 0; c < 3; ++c) {
        const float value = static_cast<float>(image.at(column + 1, row)[c]) / 127.5f - 1;
        CHECK(std::abs(x[(row * 4 + column) * 3 + c] - value) <= 1e-6f);
      }
    }
  }
  CHECK(load_face(folder / "face.png", 8).shape() == Shape{1, 8, 8, 3});
  CHECK(contains(error_of([&] { load_face(folder / "none.png", 8); }), "none.png"));
}

TEST_CASE("face_square takes its share of the middle square, to whole pixels") {
  // Four quarters of one colour each, in the middle of a wider image and of a higher one.
  const auto quarters = [](int width, int height) {
    Image image(width, height);
    const Box middle = centre_box(width, height);
    for (int y = 0; y < middle.height; ++y) {
      for (int x = 0; x < middle.width; ++x) {
        const int value = 50 + 50 * (x >= middle.width / 2) + 100 * (y >= middle.height / 2);
        std::fill_n(image.at(middle.x + x, middle.y + y), 3, static_cast<std::uint8_t>(value));
      }
    }
    return image;
  };
  const auto filled = [](int size, int value) {
    Image image(size, size);
    std::fill(image.pixels.begin(), image.pixels.end(), static_cast<std::uint8_t>(value));
    return image;
  };
  for (const Image& image : {quarters(8, 8), quarters(13, 8), quarters(8, 12)}) {
    CAPTURE(image.width);
    CAPTURE(image.height);
    for (const int size : {4, 7, 2}) {  // as it is, larger, smaller
      CHECK(face_square(image, {0, 0, 0.5}, size) == filled(size, 50));
      CHECK(face_square(image, {0.5, 0, 0.5}, size) == filled(size, 100));
      CHECK(face_square(image, {0, 0.5, 0.5}, size) == filled(size, 150));
      CHECK(face_square(image, {0.5, 0.5, 0.5}, size) == filled(size, 200));
    }
    CHECK(face_square(image, {}, 8) == square(image, 8));
    CHECK(face_square(image, {}, 5) == square(image, 5));
    // 0.26 of 8 pixels is 2.08, so two; 0.45 is 3.6, so four.
    const Image part = crop(centre_crop(image), {2, 3, 4, 4});
    CHECK(face_square(image, {0.26, 0.4, 0.45}, 4) == part);
    // Never less than a pixel, never outside.
    CHECK(face_square(image, {0.99, 0.01, 0.001}, 3) == filled(3, 100));
    CHECK(face_square(image, {0.07, 0.07, 0.93}, 7) == crop(centre_crop(image), {1, 1, 7, 7}));
  }
  const Image image = quarters(8, 8);
  const double nan = std::nan("");
  for (const FaceCrop& bad :
       {FaceCrop{-0.1, 0, 0.5}, FaceCrop{0, -0.1, 0.5}, FaceCrop{0, 0, 0}, FaceCrop{0, 0, -0.5},
        FaceCrop{0.6, 0, 0.5}, FaceCrop{0, 0.6, 0.5}, FaceCrop{0, 0, 1.1}, FaceCrop{nan, 0, 0.5},
        FaceCrop{0, nan, 0.5}, FaceCrop{0, 0, nan}}) {
    CHECK(contains(error_of([&] { face_square(image, bad, 4); }), "leaves the image"));
  }
}
