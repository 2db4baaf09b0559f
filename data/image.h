// Images in and out.
//
// load_image reads PNG, JPEG, BMP and binary PGM / PPM, by content and not by extension. Whatever
// the file holds, the result has three channels of 8 bits, sRGB as stored: grey is copied to all
// three, an alpha channel is dropped (the colour under it is kept as it is, not composed onto a
// background), 16 bits are reduced to 8. A rotation stated in EXIF, as phones write it, is applied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace imago::data {

struct Image {
  int width = 0, height = 0, channels = 3;
  std::vector<std::uint8_t> pixels;  // (height, width, channels)

  Image() = default;
  Image(int width, int height, int channels = 3);  // black; throws when an extent is not positive

  std::uint8_t* at(int x, int y) { return pixels.data() + offset(x, y); }
  const std::uint8_t* at(int x, int y) const { return pixels.data() + offset(x, y); }
  bool operator==(const Image&) const = default;

 private:
  std::size_t offset(int x, int y) const {
    return (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
            static_cast<std::size_t>(x)) *
           static_cast<std::size_t>(channels);
  }
};

// More pixels than this are refused before memory is asked for.
inline constexpr std::int64_t max_pixels = std::int64_t{1} << 28;

// Throws Error "[load_image] photos/x.jpg: ..." with the reason and what to do when the file cannot
// be opened or is empty, truncated, corrupt, too large or of another format. Truncation is always
// found; so is damage to a PNG (it carries checksums), while a JPEG with a damaged middle may
// decode to wrong pixels. Safe on any number of threads; the same file gives the same bits.
Image load_image(const std::filesystem::path& path);
// The same for the content of a file; `name` stands for the path in errors.
Image decode_image(std::span<const std::uint8_t> file, const std::string& name);

// Writes an image of 1 or 3 channels. The file appears whole or not at all: it is written under a
// temporary name in the same folder, synced and renamed; on an error (such as a full disk) the
// temporary file is removed and Error names the path and the reason.
// Equal images give equal bytes.
void save_png(const std::filesystem::path& path, const Image& image);

// Lays images (N, H, W, 3) of dtype u8 on the CPU out in `rows` x `cols` cells, row by row, with
// `gap` white pixels between neighbours. Cells beyond N stay white. Throws when N > rows * cols.
Image image_grid(const Tensor& images, int rows, int cols, int gap = 2);

}  // namespace imago::data
