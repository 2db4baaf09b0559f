// Patches of an image, gathered into the packed operands of a matrix product.
#pragma once

#include <cstdint>

namespace imago::kernels {

// Windows of kernel_h x kernel_w pixels of images (rows, columns, channels). A window is the vector
// of its pixels in the order (row, column, channel): for each of its rows one run of memory.
struct WindowShape {
  std::int64_t rows, columns, channels;
  std::int64_t kernel_h, kernel_w;

  std::int64_t depth() const { return kernel_h * kernel_w * channels; }
};

// One window: its upper left pixel, which may lie outside the image. Pixels outside are 0.
struct Window {
  const float* image;
  std::int64_t top, left;
  std::int64_t offset;  // of that pixel from `image`, in floats

  Window() = default;
  Window(const WindowShape& shape, const float* image_, std::int64_t top_, std::int64_t left_)
      : image(image_),
        top(top_),
        left(left_),
        offset((top_ * shape.columns + left_) * shape.channels) {}
};

// dst[i * dst_row + k] = element k0 + k of window i, k < depth.
void gather_windows(const WindowShape& shape, const Window* windows, std::int64_t count,
                    std::int64_t k0, std::int64_t depth, float* dst, std::int64_t dst_row);

// Walks over the pixels of a batch (images, rows, columns) in order.
struct PixelWalk {
  std::int64_t rows, columns;
  std::int64_t n, i, j;

  PixelWalk(std::int64_t rows_, std::int64_t columns_, std::int64_t start)
      : rows(rows_),
        columns(columns_),
        n(start / (rows_ * columns_)),
        i(start / columns_ % rows_),
        j(start % columns_) {}
  void next() {
    if (++j < columns) return;
    j = 0;
    if (++i < rows) return;
    i = 0;
    ++n;
  }
};

}  // namespace imago::kernels
