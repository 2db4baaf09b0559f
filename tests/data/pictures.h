// Test pictures, and encoders for them.
#pragma once

#include <stb/stb_image_write.h>

#include <cstdint>
#include <string>
#include <vector>

#include "data/image.h"
#include "tensor/random_stream.h"

namespace imago::data::test {

using Bytes = std::vector<std::uint8_t>;

// Every byte random: no two pixels agree by chance.
inline Image noise(int width, int height, std::uint32_t key = 0, int channels = 3) {
  Image image(width, height, channels);
  RandomStream stream(99, key);
  for (auto& p : image.pixels) p = static_cast<std::uint8_t>(stream.below(256));
  return image;
}
// Smooth, so that JPEG keeps it almost as it is.
inline Image ramp(int width, int height, int channels = 3) {
  Image image(width, height, channels);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int values[] = {40 + 150 * x / width, 40 + 150 * y / height, 90};
      for (int c = 0; c < channels; ++c) image.at(x, y)[c] = static_cast<std::uint8_t>(values[c]);
    }
  }
  return image;
}

inline void append(void* to, void* data, int n) {
  const auto* from = static_cast<const std::uint8_t*>(data);
  static_cast<Bytes*>(to)->insert(static_cast<Bytes*>(to)->end(), from, from + n);
}
inline Bytes png(const Image& i) {
  Bytes out;
  stbi_write_png_to_func(append, &out, i.width, i.height, i.channels, i.pixels.data(),
                         i.width * i.channels);
  return out;
}
inline Bytes jpeg(const Image& i, int quality = 100) {
  Bytes out;
  stbi_write_jpg_to_func(append, &out, i.width, i.height, i.channels, i.pixels.data(), quality);
  return out;
}
inline Bytes bmp(const Image& i) {
  Bytes out;
  stbi_write_bmp_to_func(append, &out, i.width, i.height, i.channels, i.pixels.data());
  return out;
}
inline Bytes pnm(const Image& i, const std::string& comment = "") {
  const std::string header = (i.channels == 3 ? "P6\n" : "P5\n") + comment +
                             std::to_string(i.width) + " " + std::to_string(i.height) + "\n255\n";
  Bytes out(header.begin(), header.end());
  out.insert(out.end(), i.pixels.begin(), i.pixels.end());
  return out;
}

}  // namespace imago::data::test
