#include "data/transform.h"

#include <stb/stb_image_resize.h>

#include <algorithm>
#include <cmath>

#include "tensor/error.h"

namespace imago::data {

Box centre_box(int width, int height, double aspect) {
  check(width > 0 && height > 0, "centre_crop", "the image is empty: ", width, " x ", height);
  check(aspect > 0 && std::isfinite(aspect), "centre_crop", "the aspect is positive, but ", aspect);
  Box box{0, 0, width, height};
  if (width > aspect * height) {
    box.width = std::clamp(static_cast<int>(aspect * height + 0.5), 1, width);
  } else {
    box.height = std::clamp(static_cast<int>(width / aspect + 0.5), 1, height);
  }
  box.x = (width - box.width) / 2;
  box.y = (height - box.height) / 2;
  return box;
}

Image crop(const Image& image, const Box& box) {
  check(box.x >= 0 && box.y >= 0 && box.width > 0 && box.height > 0 &&
            box.width <= image.width - box.x && box.height <= image.height - box.y,
        "crop", "the box at (", box.x, ", ", box.y, ") of ", box.width, " x ", box.height,
        " leaves the image of ", image.width, " x ", image.height);
  Image out(box.width, box.height, image.channels);
  const auto row = static_cast<std::size_t>(box.width) * static_cast<std::size_t>(image.channels);
  for (int y = 0; y < box.height; ++y) {
    std::copy_n(image.at(box.x, box.y + y), row, out.at(0, y));
  }
  return out;
}

Image resize(const Image& image, int width, int height) {
  check(width > 0 && height > 0 && width <= max_pixels / height, "resize",
        "cannot make an image of ", width, " x ", height, " pixels");
  check(!image.pixels.empty(), "resize", "the image is empty");
  if (width == image.width && height == image.height) return image;
  Image out(width, height, image.channels);
  // Scalar code without shared state: deterministic and safe on any thread.
  const int done = stbir_resize_uint8_generic(
      image.pixels.data(), image.width, image.height, image.width * image.channels,
      out.pixels.data(), width, height, width * image.channels, image.channels,
      STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_CLAMP, STBIR_FILTER_CATMULLROM,
      STBIR_COLORSPACE_LINEAR, nullptr);
  check(done != 0, "resize", "out of memory while resizing ", image.width, " x ", image.height,
        " to ", width, " x ", height);
  return out;
}

Image square(const Image& image, int size) {
  if (image.width == image.height) return resize(image, size, size);
  return resize(centre_crop(image), size, size);
}

void flip_horizontal(std::uint8_t* pixels, int height, int width, int channels) {
  for (int y = 0; y < height; ++y) {
    std::uint8_t* row = pixels + std::ptrdiff_t{y} * width * channels;
    for (int x = 0; x < width / 2; ++x) {
      std::swap_ranges(row + x * channels, row + (x + 1) * channels,
                       row + (width - 1 - x) * channels);
    }
  }
}

void flip_horizontal(Image& image) {
  flip_horizontal(image.pixels.data(), image.height, image.width, image.channels);
}

}  // namespace imago::data
