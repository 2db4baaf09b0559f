#include "data/transform.h"

#include <stb/stb_image_resize.h>

#include <algorithm>
#include <cmath>

#include "kernels/image/image.h"
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

Image face_square(const Image& image, const FaceCrop& crop, int size) {
  if (crop == FaceCrop{}) return square(image, size);
  constexpr double most = 1 + 1e-9;  // 0.7 + 0.3 may be above 1
  check(crop.x >= 0 && crop.y >= 0 && crop.side > 0 && crop.x + crop.side <= most &&
            crop.y + crop.side <= most,
        "face_square", "the crop at (", crop.x, ", ", crop.y, ") of side ", crop.side,
        " leaves the image; all are shares of its middle square");
  Box box = centre_box(image.width, image.height);
  const double whole = box.width;
  const auto pixels = [&](double share) { return static_cast<int>(std::lround(share * whole)); };
  const int side = std::max(pixels(crop.side), 1);
  box.x += std::min(pixels(crop.x), box.width - side);
  box.y += std::min(pixels(crop.y), box.width - side);
  box.width = box.height = side;
  return resize(imago::data::crop(image, box), size, size);
}

Image square(const Image& image, int size) {
  if (image.width == image.height) return resize(image, size, size);
  return resize(centre_crop(image), size, size);
}

Tensor load_face(const std::filesystem::path& path, int size) {
  const Image image = square(load_image(path), size);
  Tensor bytes = Tensor::empty({1, size, size, 3}, DType::u8, Device::cpu());
  std::copy(image.pixels.begin(), image.pixels.end(), bytes.mutable_data<std::uint8_t>());
  return kernels::normalize_u8(bytes);
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
