#include "data/image.h"

#include <stb/stb_image.h>
#include <stb/stb_image_write.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "data/image_format.h"
#include "tensor/error.h"
#include "tensor/write_file.h"

namespace imago::data {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& reason) {
  fail("load_image", name, ": ", reason, "; delete it or convert it to PNG or JPEG");
}

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  const auto cannot = [&](const char* verb) {
    const int reason = errno;
    fail("load_image", path.native(), ": cannot be ", verb, ": ", std::strerror(reason));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) cannot("opened");
  std::vector<std::uint8_t> bytes;
  // A first guess of the size saves copies; the loop below finds the truth.
  std::error_code error;
  const auto expected = std::filesystem::file_size(path, error);
  bytes.resize(error ? 65536 : static_cast<std::size_t>(expected) + 1);
  std::size_t used = 0;
  while (true) {
    used += std::fread(bytes.data() + used, 1, bytes.size() - used, file.get());
    if (std::ferror(file.get())) cannot("read");
    if (used < bytes.size()) break;
    bytes.resize(bytes.size() * 2);
  }
  bytes.resize(used);
  return bytes;
}

}  // namespace

Image::Image(int w, int h, int c) : width(w), height(h), channels(c) {
  check(w > 0 && h > 0 && c > 0, "image", "width, height and channels are positive, but ", w, " x ",
        h, " x ", c);
  pixels.resize(static_cast<std::size_t>(w) * static_cast<std::size_t>(h) *
                static_cast<std::size_t>(c));
}

Image load_image(const std::filesystem::path& path) {
  return decode_image(read_file(path), path.native());
}

Image decode_image(std::span<const std::uint8_t> file, const std::string& name) {
  format::Findings found;
  switch (format::kind_of(file)) {
    case format::Kind::png:
      found = format::inspect_png(file);
      break;
    case format::Kind::jpeg:
      found = format::inspect_jpeg(file);
      break;
    case format::Kind::bmp:
      found = format::inspect_bmp(file);
      break;
    case format::Kind::pnm: {
      Image image;
      if (const std::string problem = format::decode_pnm(file, image); !problem.empty()) {
        refuse(name, problem);
      }
      return image;
    }
    case format::Kind::unknown:
      refuse(name, format::why_unknown(file));
  }
  if (!found.problem.empty()) refuse(name, found.problem);
  if (file.size() > 0x7fffffff) refuse(name, "larger than 2 GiB");

  const auto bytes = static_cast<int>(file.size());
  int width = 0, height = 0, channels = 0;
  // The library's own words ("bad huffman code") say what is wrong inside the file.
  const auto damaged = [&] {
    const char* reason = stbi_failure_reason();
    refuse(name, std::string("not an image or corrupt (") + (reason ? reason : "unknown") + ")");
  };
  if (!stbi_info_from_memory(file.data(), bytes, &width, &height, &channels)) damaged();
  if (width < 1 || height < 1) refuse(name, "corrupt (it has no pixels)");
  if (width > max_pixels / height) refuse(name, "too large");
  const std::unique_ptr<stbi_uc, void (*)(void*)> decoded(
      stbi_load_from_memory(file.data(), bytes, &width, &height, &channels, 3), &stbi_image_free);
  if (!decoded) damaged();
  Image image(width, height);
  std::copy_n(decoded.get(), image.pixels.size(), image.pixels.begin());
  return found.orientation == 1 ? image : format::oriented(image, found.orientation);
}

void save_png(const std::filesystem::path& path, const Image& image) {
  check(image.width > 0 && image.height > 0 && (image.channels == 1 || image.channels == 3) &&
            image.pixels.size() == static_cast<std::size_t>(image.width) *
                                       static_cast<std::size_t>(image.height) *
                                       static_cast<std::size_t>(image.channels),
        "save_png", path.native(), ": takes images of 1 or 3 channels, but ", image.width, " x ",
        image.height, " x ", image.channels, " with ", image.pixels.size(), " bytes");
  std::vector<std::byte> png;
  const auto append = [](void* to, void* data, int n) {
    auto& bytes = *static_cast<std::vector<std::byte>*>(to);
    const auto* from = static_cast<const std::byte*>(data);
    bytes.insert(bytes.end(), from, from + n);
  };
  const int done = stbi_write_png_to_func(append, &png, image.width, image.height, image.channels,
                                          image.pixels.data(), image.width * image.channels);
  check(done != 0 && !png.empty(), "save_png", path.native(), ": out of memory while encoding");
  write_file("save_png", path, png);
}

Image image_grid(const Tensor& images, int rows, int cols, int gap) {
  check(images.defined() && images.dim() == 4 && images.size(3) == 3 &&
            images.dtype() == DType::u8 && images.device().is_cpu(),
        "image_grid", "takes u8 images (N, H, W, 3) on the CPU, but got ",
        images.defined() ? images.shape().to_string() : "nothing", " of ", images.dtype());
  const std::int64_t n = images.size(0), h = images.size(1), w = images.size(2);
  check(rows > 0 && cols > 0 && gap >= 0, "image_grid", "rows and cols are positive, gap is not ",
        "negative, but ", rows, ", ", cols, ", ", gap);
  check(n <= std::int64_t{rows} * cols, "image_grid", n, " images do not fit into ", rows, " x ",
        cols, " cells");
  const std::int64_t width = cols * w + std::int64_t{cols - 1} * gap;
  const std::int64_t height = rows * h + std::int64_t{rows - 1} * gap;
  check(h > 0 && w > 0 && width <= max_pixels / height, "image_grid", "a grid of ", width, " x ",
        height, " pixels is empty or too large");

  Image grid(static_cast<int>(width), static_cast<int>(height));
  std::fill(grid.pixels.begin(), grid.pixels.end(), std::uint8_t{255});
  const auto* from = images.data<std::uint8_t>();  // (N, H, W, 3)
  for (std::int64_t i = 0; i < n; ++i) {
    const auto left = static_cast<int>(i % cols * (w + gap));
    const auto top = static_cast<int>(i / cols * (h + gap));
    for (std::int64_t y = 0; y < h; ++y) {
      std::copy_n(from + (i * h + y) * w * 3, w * 3, grid.at(left, top + static_cast<int>(y)));
    }
  }
  return grid;
}

}  // namespace imago::data
