#include "data/changes.h"

#include <doctest/doctest.h>

#include "augment_checks.h"
#include "data/transform.h"
#include "pictures.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::data;
using namespace imago::data::test;
using namespace imago::test;

namespace {

Image warped(Image image, const Warp& by) {
  warp(image.pixels.data(), image.width, by);
  return image;
}

// The image after a change of its pixels.
template <class F, class... Amounts>
Image after(F change, Image image, Amounts... amounts) {
  change(image.pixels.data(), image.width, amounts...);
  return image;
}

}  // namespace

TEST_CASE("warp: quarter turns and whole shifts move every pixel and round none") {
  for (const int size : {1, 16, 17}) {
    CAPTURE(size);
    const Image image = noise(size, size);
    CHECK(warped(image, {}) == image);
    const Image quarter = warped(image, {.degrees = 90}), back = warped(image, {.degrees = -90});
    const Image half = warped(image, {.degrees = 180});
    const Image moved = warped(image, {.right = 3, .down = -2});
    int wrong = 0;
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x) {
        for (int c = 0; c < 3; ++c) {
          const int last = size - 1;
          wrong += quarter.at(last - y, x)[c] != image.at(x, y)[c];  // what was right is below
          wrong += back.at(y, last - x)[c] != image.at(x, y)[c];
          wrong += half.at(last - x, last - y)[c] != image.at(x, y)[c];
          // Edges are repeated.
          const int from_x = std::max(x - 3, 0), from_y = std::min(y + 2, last);
          wrong += moved.at(x, y)[c] != image.at(from_x, from_y)[c];
        }
      }
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("warp: a dot goes where turn, scale and shift send it, once and together") {
  const auto expect = [](const Warp& by, double right, double down, double area) {
    const Light light = light_in(warped(dot(8, -3), by));
    CHECK(std::abs(light.right - right) < 0.15);
    CHECK(std::abs(light.down - down) < 0.15);
    CHECK(std::abs(light.sum / 9 - area) < 0.1 * area);
  };
  const double c = std::cos(0.5235987755982988), s = 0.5;  // 30 degrees
  expect({.degrees = 30}, c * 8 + s * 3, s * 8 - c * 3, 1);
  expect({.degrees = -30}, c * 8 - s * 3, -s * 8 - c * 3, 1);
  expect({.scale = 2}, 16, -6, 4);
  expect({.scale = 0.75}, 6, -2.25, 0.5625);
  expect({.right = -2.5, .down = 4.25}, 5.5, 1.25, 1);
  expect({.degrees = 30, .scale = 1.5, .right = 3, .down = -2}, 1.5 * (c * 8 + s * 3) + 3,
         1.5 * (s * 8 - c * 3) - 2, 2.25);
  // Half a pixel is the mean of two.
  Image two(2, 2);
  std::fill_n(two.at(1, 0), 3, 200);
  std::fill_n(two.at(1, 1), 3, 200);
  CHECK(int{warped(two, {.right = 0.5}).at(1, 0)[0]} == 100);
  CHECK(int{warped(two, {.right = -0.5}).at(0, 1)[2]} == 100);
  CHECK(contains(error_of([&] { warped(two, {.scale = 0}); }), "scale must be above 0"));
  CHECK(contains(error_of([&] { warped(two, {.degrees = 181}); }), "degrees from -180"));
}

TEST_CASE("tone: exponent, contrast about the middle, then brightness, each within 0..255") {
  const auto tone = [](int v, const Tone& by) {
    return int{after(change_tone, flat(2, v, 0, 255), by).pixels[0]};
  };
  const Image image = noise(16, 16);
  CHECK(after(change_tone, image, Tone{}) == image);
  CHECK(tone(128, {.exponent = 2}) == 64);     // 255 (128 / 255)^2 = 64.25
  CHECK(tone(64, {.exponent = 0.5f}) == 128);  // 255 (64 / 255)^0.5 = 127.75
  CHECK(tone(0, {.exponent = 0.5f}) == 0);
  CHECK(tone(255, {.exponent = 2}) == 255);
  CHECK(tone(20, {.contrast = 0}) == 128);
  CHECK(tone(140, {.contrast = 2}) == 153);  // 127.5 + 2 * 12.5 = 152.5
  CHECK(tone(200, {.contrast = 2}) == 255);
  CHECK(tone(20, {.contrast = 2}) == 0);
  CHECK(tone(100, {.brightness = -30}) == 70);
  CHECK(tone(100, {.brightness = 200}) == 255);
  CHECK(tone(128, {.exponent = 2, .contrast = 2, .brightness = 10}) == 11);  // 127.5 - 126.5 + 10
}

TEST_CASE("colour: grey is the luma of Rec. 601, saturation the distance from it") {
  const auto grey = [](int r, int g, int b) {
    const Image image = after(make_grey, flat(2, r, g, b));
    CHECK(image.pixels[0] == image.pixels[1]);
    CHECK(image.pixels[0] == image.pixels[2]);
    return int{image.pixels[0]};
  };
  CHECK(grey(255, 0, 0) == 76);   // 76.2
  CHECK(grey(0, 255, 0) == 150);  // 149.7
  CHECK(grey(0, 0, 255) == 29);   // 29.1
  for (int v = 0; v < 256; ++v) CHECK(grey(v, v, v) == v);
  const Image image = noise(16, 16);
  CHECK(after(saturate, image, 1.0f) == image);
  CHECK(after(saturate, image, 0.0f) == after(make_grey, image));
  const Image twice = after(saturate, flat(2, 120, 100, 100), 2.0f);  // the luma is 106
  CHECK(int{twice.pixels[0]} == 134);
  CHECK(int{twice.pixels[1]} == 94);
  CHECK(int{after(saturate, flat(2, 250, 10, 10), 2.0f).pixels[0]} == 255);
}

TEST_CASE("glare: a spot that saturates in its middle, fades to its edge and ends there") {
  const GlareSpot spot{.strength = 1, .x = 16, .y = 16, .half_width = 8, .half_height = 4};
  const Image image = after(add_glare, flat(32, 0, 40, 90), spot);
  CHECK(int{image.at(15, 15)[0]} == 255);
  int wrong = 0, lit = 0;
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      const double a = (x + 0.5 - 16) / 8, b = (y + 0.5 - 16) / 4, q = a * a + b * b;
      const double light = q < 1 ? 510 * (1 - q) * (1 - q) * (1 - q) : 0;
      const int before[] = {0, 40, 90};
      for (int c = 0; c < 3; ++c) {
        wrong += std::abs(image.at(x, y)[c] - std::min(255.0, before[c] + light)) > 0.51;
      }
      lit += image.at(x, y)[0] != 0;
    }
  }
  CHECK(wrong == 0);
  CHECK(lit > 60);  // the whole ellipse has 100 pixels, the faintest of them less than 1/2
  const Image black = flat(32, 0, 0, 0);
  GlareSpot turned = spot, high = spot, weak = spot;
  turned.tilt = 1;  // a quarter turn
  std::swap(high.half_width, high.half_height);
  CHECK(after(add_glare, black, turned) == after(add_glare, black, high));
  CHECK_FALSE(after(add_glare, black, turned) == after(add_glare, black, spot));
  weak.strength = 0;
  CHECK(after(add_glare, black, weak) == black);
  weak.half_width = 0;
  CHECK(contains(error_of([&] { after(add_glare, black, weak); }), "half axes"));
}

TEST_CASE("darkness: stops less light and the noise that is left of it") {
  const Image white = flat(32, 255, 255, 255);
  const Image two = after(darken, white, 2.0f, 7u), four = after(darken, white, 4.0f, 7u);
  // d = 1/4: 255 d^(1 / 2.2) = 135.8; the deviation sqrt(0.001 d + 0.002^2) = 0.0159 of the light
  // is one of 255 / 2.2 d^(1 / 2.2 - 1) 0.0159 = 3.94.
  CHECK(std::abs(mean_of(two) - 135.8) < 1);
  CHECK(std::abs(deviation_of(two) - 3.94) < 0.35);
  CHECK(std::abs(mean_of(four) - 72.3) < 1);  // 255 16^(-1 / 2.2)
  CHECK(after(darken, white, 2.0f, 7u) == two);
  CHECK_FALSE(after(darken, white, 2.0f, 8u) == two);
  const Image black = after(darken, flat(32, 0, 0, 0), 3.0f, 7u);
  CHECK(mean_of(black) > 0.5);  // reading out is noisy in the dark, too
  CHECK(mean_of(black) < 15);
}

TEST_CASE("noise: mean, deviation and shape of a Gaussian, and no pattern") {
  const Image noisy = after(add_noise, flat(64, 128, 128, 128), 10.0f, 3u);
  const std::size_t count = noisy.pixels.size();
  CHECK(std::abs(mean_of(noisy) - 128) < 0.5);  // five standard deviations
  CHECK(std::abs(deviation_of(noisy) - 10) < 0.4);
  const auto difference = [&](std::size_t i) { return (noisy.pixels[i] - 128) / 10.0; };
  double fourth = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double z = difference(i);
    fourth += z * z * z * z / static_cast<double>(count);
    CHECK_UNARY(std::abs(z) < 3.6);
  }
  // Four uniforms: 3 (1 - 0.1), where a single one would have 1.8.
  CHECK(fourth > 2.4);
  CHECK(fourth < 3.0);
  for (const std::size_t lag : {1, 2, 3, 192}) {
    CAPTURE(lag);
    double product = 0;
    for (std::size_t i = 0; i + lag < count; ++i) product += difference(i) * difference(i + lag);
    CHECK(std::abs(product / static_cast<double>(count)) < 0.06);
  }
  CHECK(after(add_noise, noisy, 0.0f, 3u) == noisy);
  CHECK_FALSE(after(add_noise, flat(64, 128, 128, 128), 10.0f, 4u) == noisy);
}

TEST_CASE("low resolution is resize down and up; a rectangle is covered by grey") {
  const Image image = noise(24, 24);
  CHECK(after(coarsen, image, 24) == image);
  const Image coarse = after(coarsen, image, 8);
  CHECK(coarse == resize(resize(image, 8, 8), 24, 24));
  CHECK(deviation_of(coarse) < 0.6 * deviation_of(image));
  const Image cut = after(cut_out, image, 3, 5, 7, 2);
  for (int y = 0; y < 24; ++y) {
    for (int x = 0; x < 24; ++x) {
      const bool inside = x >= 3 && x < 10 && y >= 5 && y < 7;
      for (int c = 0; c < 3; ++c) {
        CHECK_UNARY(int{cut.at(x, y)[c]} == (inside ? 128 : int{image.at(x, y)[c]}));
      }
    }
  }
  CHECK(contains(error_of([&] { after(cut_out, image, 20, 0, 5, 1); }), "leaves the image"));
}
