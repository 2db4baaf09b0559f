// What the tests of augmentation look at.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "data/image.h"

namespace imago::data::test {

inline Image flat(int size, int red, int green, int blue) {
  Image image(size, size);
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    image.pixels[i] = static_cast<std::uint8_t>(red);
    image.pixels[i + 1] = static_cast<std::uint8_t>(green);
    image.pixels[i + 2] = static_cast<std::uint8_t>(blue);
  }
  return image;
}

// Black but for a white square of 3 x 3 so far to the right of the middle, and below it.
inline constexpr int dot_size = 41;
inline Image dot(int right, int down) {
  Image image(dot_size, dot_size);
  for (int y = -1; y <= 1; ++y) {
    for (int x = -1; x <= 1; ++x) {
      std::fill_n(image.at(dot_size / 2 + right + x, dot_size / 2 + down + y), 3, 255);
    }
  }
  return image;
}

// Where the light is, from the middle of the image, and how much of it, white pixels being 1.
struct Light {
  double right = 0, down = 0, sum = 0;
};
inline Light light_in(const Image& image) {
  Light light;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const double v = image.at(x, y)[0] / 255.0;
      light.sum += v;
      light.right += v * (x - (image.width - 1) / 2.0);
      light.down += v * (y - (image.height - 1) / 2.0);
    }
  }
  light.right /= light.sum;
  light.down /= light.sum;
  return light;
}

inline double mean_of(const Image& image) {
  double sum = 0;
  for (const int v : image.pixels) sum += v;
  return sum / static_cast<double>(image.pixels.size());
}
inline double deviation_of(const Image& image) {
  const double mean = mean_of(image);
  double sum = 0;
  for (const int v : image.pixels) sum += (v - mean) * (v - mean);
  return std::sqrt(sum / static_cast<double>(image.pixels.size()));
}

}  // namespace imago::data::test
