#include "data/changes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "data/procedural/maths.h"
#include "data/transform.h"
#include "kernels/elementwise/math_pow.h"
#include "tensor/error.h"

namespace imago::data {
namespace {

std::size_t bytes_of(int size) {
  return static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3;
}

std::uint8_t byte(int v) {
  return static_cast<std::uint8_t>(std::clamp(v, 0, 255));
}
std::uint8_t byte(float v) {
  return static_cast<std::uint8_t>(faces::clamp(v, 0.0f, 255.0f) + 0.5f);
}

using Table = std::array<std::uint8_t, 256>;

// The sum of four uniform bytes: mean 510, variance 4 (256^2 - 1) / 12 = 21845.
constexpr float noise_deviation = 147.80054f;
int noise_at(std::uint32_t key, std::uint32_t place) {
  const std::uint32_t h = faces::mix_bits(key + place * 0x9e3779b9u);
  const std::uint32_t sum = (h & 255u) + ((h >> 8) & 255u) + ((h >> 16) & 255u) + (h >> 24);
  return static_cast<int>(sum) - 510;
}

// A number of pixels in steps of 2^-16.
std::int64_t fixed(double pixels) {
  return static_cast<std::int64_t>(std::floor(pixels * 65536 + 0.5));
}

constexpr float gamma = 2.2f;        // of models::LowLight, as are these:
constexpr float shot = 1e-3f;        // the variance a photon adds, white being 1
constexpr float read_noise = 2e-3f;  // the deviation of reading out

// The light of each byte.
const std::array<float, 256>& light_of_bytes() {
  static const std::array<float, 256> table = [] {
    std::array<float, 256> t{};
    for (std::size_t v = 0; v < t.size(); ++v) {
      t[v] = kernels::math::pow(static_cast<float>(v) / 255.0f, gamma);
    }
    return t;
  }();
  return table;
}

// The byte of light s^2, by s from 0 to 1.
constexpr int roots = 1024;
const std::array<std::uint8_t, roots>& bytes_of_roots() {
  static const std::array<std::uint8_t, roots> table = [] {
    std::array<std::uint8_t, roots> t{};
    for (std::size_t i = 0; i < t.size(); ++i) {
      const float root = static_cast<float>(i) / static_cast<float>(roots - 1);
      t[i] = byte(255.0f * kernels::math::pow(root, 2.0f / gamma));
    }
    return t;
  }();
  return table;
}

}  // namespace

void warp(std::uint8_t* pixels, int size, const Warp& by) {
  check(by.scale > 0 && by.degrees >= -180 && by.degrees <= 180, "warp",
        "scale must be above 0 and degrees from -180 to 180, but they are ", by.scale, " and ",
        by.degrees);
  const std::vector<std::uint8_t> source(pixels, pixels + bytes_of(size));
  // The sine here is one of at most 90 degrees, so from half of the angle.
  const auto half = static_cast<float>(by.degrees * (3.14159265358979323846 / 360));
  const double sine_half = faces::sine(half), cosine_half = faces::cosine(half);
  const double cosine = (1 - 2 * sine_half * sine_half) / by.scale;
  const double sine = 2 * sine_half * cosine_half / by.scale;
  const double centre = (size - 1) / 2.0;
  const std::int64_t last = std::int64_t{size - 1} << 16;
  const std::int64_t across = fixed(cosine), along = fixed(-sine);  // for each step to the right
  const std::ptrdiff_t row = std::ptrdiff_t{size} * 3;
  for (int y = 0; y < size; ++y) {
    const double u = -centre - by.right, v = y - centre - by.down;
    std::int64_t from_x = fixed(centre + cosine * u + sine * v);
    std::int64_t from_y = fixed(centre - sine * u + cosine * v);
    for (int x = 0; x < size; ++x) {
      const std::int64_t sx = std::clamp(from_x, std::int64_t{0}, last);
      const std::int64_t sy = std::clamp(from_y, std::int64_t{0}, last);
      from_x += across;
      from_y += along;
      // The neighbours of the last row and column have no weight.
      const std::ptrdiff_t right = sx < last ? 3 : 0, below = sy < last ? row : 0;
      const std::uint8_t* p = source.data() + (sy >> 16) * row + (sx >> 16) * 3;
      const int fx = static_cast<int>(sx >> 8) & 255, fy = static_cast<int>(sy >> 8) & 255;
      const int w00 = (256 - fx) * (256 - fy), w01 = fx * (256 - fy);
      const int w10 = (256 - fx) * fy, w11 = fx * fy;
      for (int c = 0; c < 3; ++c) {
        const int sum =
            w00 * p[c] + w01 * p[right + c] + w10 * p[below + c] + w11 * p[below + right + c];
        *pixels++ = static_cast<std::uint8_t>((sum + 32768) >> 16);
      }
    }
  }
}

void change_tone(std::uint8_t* pixels, int size, const Tone& tone) {
  Table table{};
  for (std::size_t v = 0; v < table.size(); ++v) {
    auto t = static_cast<float>(v);
    if (tone.exponent != 1.0f) t = 255.0f * kernels::math::pow(t / 255.0f, tone.exponent);
    table[v] = byte(127.5f + (t - 127.5f) * tone.contrast + tone.brightness);
  }
  const std::size_t count = bytes_of(size);
  for (std::size_t i = 0; i < count; ++i) pixels[i] = table[pixels[i]];
}

void saturate(std::uint8_t* pixels, int size, float factor) {
  const int f = static_cast<int>(faces::clamp(factor, 0.0f, 2.0f) * 65536.0f + 0.5f);
  const std::size_t count = bytes_of(size);
  for (std::size_t i = 0; i < count; i += 3) {
    std::uint8_t* p = pixels + i;
    const int grey = luma(p);
    for (int c = 0; c < 3; ++c) p[c] = byte(grey + (((p[c] - grey) * f + 32768) >> 16));
  }
}

void make_grey(std::uint8_t* pixels, int size) {
  const std::size_t count = bytes_of(size);
  for (std::size_t i = 0; i < count; i += 3) {
    std::uint8_t* p = pixels + i;
    p[0] = p[1] = p[2] = static_cast<std::uint8_t>(luma(p));
  }
}

void add_glare(std::uint8_t* pixels, int size, const GlareSpot& spot) {
  check(spot.half_width > 0 && spot.half_height > 0, "add_glare",
        "the half axes must be above 0, but they are ", spot.half_width, " and ", spot.half_height);
  const float t = spot.tilt, over = 1.0f / (1.0f + t * t);
  const float cosine = (1.0f - t * t) * over, sine = 2.0f * t * over;
  const float per_width = 1.0f / spot.half_width, per_height = 1.0f / spot.half_height;
  for (int y = 0; y < size; ++y) {
    const float v = static_cast<float>(y) + 0.5f - spot.y;
    for (int x = 0; x < size; ++x, pixels += 3) {
      const float u = static_cast<float>(x) + 0.5f - spot.x;
      const float a = (cosine * u + sine * v) * per_width;
      const float b = (cosine * v - sine * u) * per_height;
      const float light = 510.0f * spot.strength * faces::bell(a * a + b * b);
      const int more = static_cast<int>(faces::clamp(light, 0.0f, 510.0f) + 0.5f);
      for (int c = 0; c < 3; ++c) pixels[c] = byte(pixels[c] + more);
    }
  }
}

void darken(std::uint8_t* pixels, int size, float stops, std::uint32_t key) {
  const std::array<float, 256>& light = light_of_bytes();
  const std::array<std::uint8_t, roots>& curve = bytes_of_roots();
  const float gain = kernels::math::exp(stops * -0.69314718f);
  std::array<float, 256> dark{}, deviation{};
  for (std::size_t v = 0; v < dark.size(); ++v) {
    dark[v] = light[v] * gain;
    deviation[v] = std::sqrt(shot * dark[v] + read_noise * read_noise) / noise_deviation;
  }
  const std::size_t count = bytes_of(size);
  for (std::size_t i = 0; i < count; ++i) {
    const auto z = static_cast<float>(noise_at(key, static_cast<std::uint32_t>(i)));
    const float n = faces::sat(dark[pixels[i]] + deviation[pixels[i]] * z);
    pixels[i] =
        curve[static_cast<std::size_t>(std::sqrt(n) * static_cast<float>(roots - 1) + 0.5f)];
  }
}

void add_noise(std::uint8_t* pixels, int size, float deviation, std::uint32_t key) {
  const float most = faces::clamp(deviation, 0.0f, 128.0f);
  const int factor = static_cast<int>(most * (65536.0f / noise_deviation) + 0.5f);
  const std::size_t count = bytes_of(size);
  for (std::size_t i = 0; i < count; ++i) {
    const int z = noise_at(key, static_cast<std::uint32_t>(i));
    pixels[i] = byte(pixels[i] + ((z * factor + 32768) >> 16));
  }
}

void coarsen(std::uint8_t* pixels, int size, int small) {
  Image image(size, size);
  std::copy_n(pixels, bytes_of(size), image.pixels.begin());
  const Image back = resize(resize(image, small, small), size, size);
  std::copy_n(back.pixels.begin(), bytes_of(size), pixels);
}

void cut_out(std::uint8_t* pixels, int size, int left, int top, int width, int height) {
  check(left >= 0 && top >= 0 && width >= 0 && height >= 0 && width <= size - left &&
            height <= size - top,
        "cut_out", "the rectangle at (", left, ", ", top, ") of ", width, " x ", height,
        " leaves the image of ", size, " x ", size);
  for (int y = top; y < top + height; ++y) {
    std::fill_n(pixels + (std::ptrdiff_t{y} * size + left) * 3, std::ptrdiff_t{width} * 3,
                std::uint8_t{128});
  }
}

}  // namespace imago::data
