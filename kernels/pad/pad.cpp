#include "kernels/pad/pad.h"

#include <cstring>

#include "kernels/cuda_build.h"
#include "kernels/images.h"
#include "kernels/pad/pixels.h"
#include "tensor/convert.h"
#include "tensor/op_range.h"

namespace imago::kernels {
namespace {

using Kind = AxisMap::Kind;

void require_copied(const char* op, DType dtype) {
  dispatch<float, double, bf16, std::uint8_t>(dtype, op, []<class T> {});
}

AxisMap axis(Kind kind, std::int64_t in, std::int64_t out, std::int64_t before = 0) {
  return {kind, static_cast<int>(in), static_cast<int>(out), static_cast<int>(before)};
}

// x through `rows` and `columns`.
Tensor mapped(const char* op, const Tensor& x, const AxisMap& rows, const AxisMap& columns,
              double value = 0) {
  const OpRange range(op, x.device());
  const auto size = static_cast<int>(size_of(x.dtype()));
  PixelMap map{x.size(0), rows, columns, x.size(3) * size, size, {}};
  dispatch<float, double, bf16, std::uint8_t>(x.dtype(), op, [&]<class T> {
    const T fill = convert<T>(value);
    std::memcpy(map.fill, &fill, sizeof(T));
  });
  Tensor out = Tensor::empty(resized(x, rows.out, columns.out), x.dtype(), x.device());
  copy_pixels(op, map, x, out);
  return out;
}

// Reflection needs a pixel to mirror for each one that it makes.
void require_reflection(const char* op, const Padding& pad, std::int64_t height,
                        std::int64_t width) {
  check(pad.top < height && pad.bottom < height && pad.left < width && pad.right < width, op,
        "mirrors fewer pixels than an image of ", height, " x ", width,
        " has along an axis, but top ", pad.top, ", bottom ", pad.bottom, ", left ", pad.left,
        ", right ", pad.right);
}

}  // namespace

void copy_pixels(const char* op, const PixelMap& map, const Tensor& x, Tensor& out) {
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      copy_pixels_cuda(op, map, x, out);
      return;
    }
  }
  copy_pixels_cpu(map, x.bytes(), out.mutable_bytes());
}

Tensor pad(const Tensor& x, const Padding& pad, double value) {
  const char* op = "pad";
  require_images(op, "x", x);
  require_copied(op, x.dtype());
  require_padding(op, pad);
  const std::int64_t height = x.size(1) + pad.top + pad.bottom;
  const std::int64_t width = x.size(2) + pad.left + pad.right;
  constexpr std::int64_t most = 1 << 29;  // coordinates are int
  check(height <= most && width <= most, op, "makes images of ", height, " x ", width,
        " pixels, but an axis has at most 2^29; is the padding meant in pixels?");
  return mapped(op, x, axis(Kind::window, x.size(1), height, pad.top),
                axis(Kind::window, x.size(2), width, pad.left), value);
}

Tensor crop(const Tensor& x, std::int64_t top, std::int64_t left, std::int64_t height,
            std::int64_t width) {
  const char* op = "crop";
  require_images(op, "x", x);
  require_copied(op, x.dtype());
  check(height >= 1 && width >= 1, op, "the window is at least 1 x 1, not ", height, " x ", width);
  check(top >= 0 && left >= 0 && height <= x.size(1) - top && width <= x.size(2) - left, op,
        "the window of ", height, " x ", width, " at row ", top, ", column ", left,
        " leaves the images of ", x.shape());
  return mapped(op, x, axis(Kind::window, x.size(1), height, -top),
                axis(Kind::window, x.size(2), width, -left));
}

Tensor pad_reflect(const Tensor& x, const Padding& pad) {
  const char* op = "pad_reflect";
  require_images(op, "x", x);
  require_copied(op, x.dtype());
  require_padding(op, pad);
  require_reflection(op, pad, x.size(1), x.size(2));
  const std::int64_t height = x.size(1) + pad.top + pad.bottom;
  const std::int64_t width = x.size(2) + pad.left + pad.right;
  return mapped(op, x, axis(Kind::reflect, x.size(1), height, pad.top),
                axis(Kind::reflect, x.size(2), width, pad.left));
}

Tensor pad_reflect_grad(const Tensor& dy, const Padding& pad) {
  const char* op = "pad_reflect_grad";
  require_floating_images(op, "dy", dy);
  require_padding(op, pad);
  const std::int64_t height = dy.size(1) - pad.top - pad.bottom;
  const std::int64_t width = dy.size(2) - pad.left - pad.right;
  check(height >= 1 && width >= 1, op, "dy is ", dy.shape(),
        ", which is nothing but padding of top ", pad.top, ", bottom ", pad.bottom, ", left ",
        pad.left, ", right ", pad.right);
  require_reflection(op, pad, height, width);
  const OpRange range(op, dy.device());
  Tensor out = Tensor::empty(resized(dy, height, width), dy.dtype(), dy.device());
  if constexpr (cuda_build) {
    if (dy.device().is_cuda()) {
      pad_reflect_grad_cuda(pad, dy, out);
      return out;
    }
  }
  pad_reflect_grad_cpu(pad, dy, out);
  return out;
}

Tensor flip(const Tensor& x, int axis_asked) {
  const char* op = "flip";
  check(x.defined(), op, "x is undefined");
  require_copied(op, x.dtype());
  check(-x.dim() <= axis_asked && axis_asked < x.dim(), op, "axis ", axis_asked, " is none of the ",
        x.dim(), " axes of ", x.shape());
  if (x.numel() == 0) return Tensor::empty_like(x);
  const int turned = axis_asked < 0 ? axis_asked + x.dim() : axis_asked;
  std::int64_t outer = 1, inner = 1;
  for (int i = 0; i < turned; ++i) outer *= x.size(i);
  for (int i = turned + 1; i < x.dim(); ++i) inner *= x.size(i);
  const std::int64_t extent = x.size(turned);
  check(extent < (std::int64_t{1} << 29), op, "the axis has fewer than 2^29 places, not ", extent);
  // Long pieces are rows, which threads share; short ones are copied pixel by pixel.
  const bool rows = inner * static_cast<std::int64_t>(size_of(x.dtype())) >= 512;
  const Tensor images = x.reshape({outer, rows ? extent : 1, rows ? 1 : extent, inner});
  const AxisMap turn = axis(Kind::flip, extent, extent), stay = axis(Kind::window, 1, 1);
  return mapped(op, images, rows ? turn : stay, rows ? stay : turn).reshape(x.shape());
}

}  // namespace imago::kernels
