#include "kernels/resample/resample.h"

#include "kernels/cuda_build.h"
#include "kernels/images.h"
#include "kernels/pad/pixels.h"
#include "kernels/resample/engines.h"
#include "tensor/op_range.h"

namespace imago {

const char* name_of(Filter filter) {
  switch (filter) {
    case Filter::nearest:
      return "nearest";
    case Filter::bilinear:
      return "bilinear";
    case Filter::bilinear_antialias:
      return "bilinear_antialias";
  }
  return "?";
}

}  // namespace imago

namespace imago::kernels {
namespace {

void require_size(const char* op, std::int64_t height, std::int64_t width) {
  constexpr std::int64_t limit = std::int64_t{1} << 29;
  check(height >= 1 && width >= 1 && height < limit && width < limit, op,
        "the result is at least 1 x 1 and below 2^29 along an axis, not ", height, " x ", width);
}

Tensor gathered(const char* op, const AxisGather& rows, const AxisGather& columns,
                const Tensor& x) {
  const OpRange range(op, x.device());
  Tensor out = Tensor::empty(resized(x, rows.results(), columns.results()), x.dtype(), x.device());
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      resample_cuda(op, rows, columns, x, out);
      return out;
    }
  }
  resample_cpu(rows, columns, x, out);
  return out;
}

// Nearest neighbours are copies.
Tensor copied(const char* op, const Tensor& x, std::int64_t height, std::int64_t width) {
  dispatch<float, double, bf16, std::uint8_t>(x.dtype(), op, []<class T> {});
  const OpRange range(op, x.device());
  const auto axis = [](std::int64_t in, std::int64_t out) {
    return AxisMap{AxisMap::Kind::nearest, static_cast<int>(in), static_cast<int>(out)};
  };
  const auto size = static_cast<int>(size_of(x.dtype()));
  const PixelMap map{
      x.size(0), axis(x.size(1), height), axis(x.size(2), width), x.size(3) * size, size, {}};
  Tensor out = Tensor::empty(resized(x, height, width), x.dtype(), x.device());
  copy_pixels(op, map, x, out);
  return out;
}

}  // namespace

Tensor resample(const Tensor& x, std::int64_t height, std::int64_t width, Filter filter) {
  const char* op = "resample";
  require_images(op, "x", x);
  require_size(op, height, width);
  if (filter == Filter::nearest) return copied(op, x, height, width);
  require_floating_images(op, "x", x);
  return gathered(op, {{x.size(1), height, filter}, false}, {{x.size(2), width, filter}, false}, x);
}

Tensor resample_grad(const Tensor& dy, std::int64_t height, std::int64_t width, Filter filter) {
  const char* op = "resample_grad";
  require_floating_images(op, "dy", dy);
  require_size(op, height, width);
  return gathered(op, {{height, dy.size(1), filter}, true}, {{width, dy.size(2), filter}, true},
                  dy);
}

}  // namespace imago::kernels
