// Files for the tests of data/: a private folder in the build tree, encoders, test pictures.
#pragma once

#include <stb/stb_image_write.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "data/image.h"
#include "tensor/error.h"
#include "tensor/random_stream.h"

namespace imago::data::test {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

// An empty folder beside the test program, removed with all it holds at the end of the scope.
class Scratch {
 public:
  Scratch() {
    static int count = 0;
    folder_ = fs::read_symlink("/proc/self/exe").parent_path() / "scratch" /
              (std::to_string(::getpid()) + "-" + std::to_string(count++));
    fs::create_directories(folder_);
  }
  ~Scratch() { fs::remove_all(folder_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const fs::path& folder() const { return folder_; }
  fs::path operator/(const fs::path& name) const { return folder_ / name; }

 private:
  fs::path folder_;
};

inline fs::path put(const fs::path& path, std::span<const std::uint8_t> bytes) {
  fs::create_directories(path.parent_path());
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (!file) throw std::runtime_error("cannot write " + path.native());
  const bool whole = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  if (std::fclose(file) != 0 || !whole) throw std::runtime_error("cannot write " + path.native());
  return path;
}
inline fs::path put(const fs::path& path, const std::string& text) {
  return put(path, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}
inline Bytes bytes_of(const fs::path& path) {
  Bytes bytes(fs::file_size(path));
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (!file) throw std::runtime_error("cannot read " + path.native());
  const bool whole = std::fread(bytes.data(), 1, bytes.size(), file) == bytes.size();
  std::fclose(file);
  if (!whole) throw std::runtime_error("cannot read " + path.native());
  return bytes;
}

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

// The message of the Error that f() throws; "nothing was thrown" if there was none.
template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}
inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace imago::data::test
