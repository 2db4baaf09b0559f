#include "kernels/pool/pool.h"

#include "kernels/conv2d/conv2d.h"
#include "kernels/cuda_build.h"
#include "kernels/images.h"
#include "kernels/pool/engines.h"
#include "tensor/op_range.h"

namespace imago::kernels {
namespace {

constexpr std::int64_t limit = std::int64_t{1} << 29;

void check_positive(const char* op, const char* what, int high, int wide) {
  check(high >= 1 && wide >= 1 && high < limit && wide < limit, op, what,
        " is at least 1 x 1, not ", high, " x ", wide);
}

PoolAxis axis(const char* op, const char* name, std::int64_t in, int kernel, int stride, int before,
              int after, int dilation) {
  const std::int64_t reach = std::int64_t{kernel - 1} * dilation + 1, total = in + before + after;
  check(reach <= total, op, "a window reaches over ", reach, " ", name, " but the input has ", in,
        " and ", before + std::int64_t{after}, " of padding; is the image too small?");
  check(total < limit, op, "an image with its padding has fewer than 2^29 ", name, ", not ", total);
  const PoolAxis result{
      static_cast<int>(in),
      static_cast<int>(conv_output_extent(in, kernel, stride, before, after, dilation)),
      kernel,
      before,
      Divisor(stride),
      Divisor(dilation)};
  for (int window = 0; window < result.out; ++window) {
    check(result.first_tap(window) < result.end_tap(window), op, "window ", window, " of ", kernel,
          " ", name, " sees nothing but padding; the input has ", in, " and padding of ", before,
          " and ", after);
  }
  return result;
}

Pooling pooling_of(const char* op, const Shape& x, const Pool2dParams& p) {
  check_positive(op, "the kernel", p.kernel_h, p.kernel_w);
  check_positive(op, "the stride", p.stride_h, p.stride_w);
  check_positive(op, "the dilation", p.dilation_h, p.dilation_w);
  require_padding(op, p.pad);
  check(std::int64_t{p.kernel_h} * p.kernel_w < limit, op,
        "a window has fewer than 2^29 taps, not ", p.kernel_h, " x ", p.kernel_w);
  return {x[0], x[3],
          axis(op, "rows", x[1], p.kernel_h, p.stride_h, p.pad.top, p.pad.bottom, p.dilation_h),
          axis(op, "columns", x[2], p.kernel_w, p.stride_w, p.pad.left, p.pad.right, p.dilation_w),
          p.count_include_pad};
}

Shape output(const Pooling& pooling) {
  return {pooling.N, pooling.rows.out, pooling.columns.out, pooling.C};
}

// The pooling of images (N, height, width, C), of which dy (N, P, Q, C) is the output.
Pooling pooling_behind(const char* op, const Tensor& dy, std::int64_t height, std::int64_t width,
                       const Pool2dParams& params) {
  require_floating_images(op, "dy", dy);
  check(height >= 1 && width >= 1, op, "the result is at least 1 x 1, not ", height, " x ", width);
  const Shape x = resized(dy, height, width);
  const Pooling pooling = pooling_of(op, x, params);
  check(dy.shape() == output(pooling), op, "images of ", x, " pool to ", output(pooling),
        ", but dy is ", dy.shape(), "; are the parameters those of the forward pass?");
  return pooling;
}

DType tap_dtype(const Pooling& pooling) {
  return pooling.taps() <= 256 ? DType::u8 : DType::i32;
}

void require_taps(const char* op, const Pooling& pooling, const Tensor& images,
                  const Tensor& taps) {
  check(taps.defined(), op, "taps are undefined; max_pool2d gives them");
  check(taps.shape() == output(pooling) && taps.dtype() == tap_dtype(pooling), op, "taps are ",
        output(pooling), " ", tap_dtype(pooling), ", but ", taps.shape(), " ", taps.dtype(),
        "; were they made with these parameters?");
  check(taps.device() == images.device(), op, "images are on ", images.device(), " but taps on ",
        taps.device());
}

}  // namespace

Shape pool2d_output(const char* op, const Shape& x, const Pool2dParams& params) {
  check(x.dim() == 4, op, "x is rank 4, (N, H, W, C), but it is ", x);
  return output(pooling_of(op, x, params));
}

MaxPool2dResult max_pool2d(const Tensor& x, const Pool2dParams& params, bool with_taps) {
  const char* op = "max_pool2d";
  require_floating_images(op, "x", x);
  const Pooling pooling = pooling_of(op, x.shape(), params);
  const OpRange range(op, x.device());
  MaxPool2dResult result{Tensor::empty(output(pooling), x.dtype(), x.device()), {}};
  if (with_taps) result.taps = Tensor::empty(output(pooling), tap_dtype(pooling), x.device());
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      max_pool2d_cuda(pooling, x, result.y, result.taps);
      return result;
    }
  }
  max_pool2d_cpu(pooling, x, result.y, result.taps);
  return result;
}

Tensor max_pool2d_grad(const Tensor& dy, const Tensor& taps, std::int64_t height,
                       std::int64_t width, const Pool2dParams& params) {
  const char* op = "max_pool2d_grad";
  const Pooling pooling = pooling_behind(op, dy, height, width, params);
  require_taps(op, pooling, dy, taps);
  const OpRange range(op, dy.device());
  Tensor dx = Tensor::empty(resized(dy, height, width), dy.dtype(), dy.device());
  if constexpr (cuda_build) {
    if (dy.device().is_cuda()) {
      max_pool2d_grad_cuda(pooling, dy, taps, dx);
      return dx;
    }
  }
  max_pool2d_grad_cpu(pooling, dy, taps, dx);
  return dx;
}

Tensor max_pool2d_pick(const Tensor& x, const Tensor& taps, const Pool2dParams& params) {
  const char* op = "max_pool2d_pick";
  require_floating_images(op, "x", x);
  const Pooling pooling = pooling_of(op, x.shape(), params);
  require_taps(op, pooling, x, taps);
  const OpRange range(op, x.device());
  Tensor y = Tensor::empty(output(pooling), x.dtype(), x.device());
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      max_pool2d_pick_cuda(pooling, x, taps, y);
      return y;
    }
  }
  max_pool2d_pick_cpu(pooling, x, taps, y);
  return y;
}

Tensor avg_pool2d(const Tensor& x, const Pool2dParams& params) {
  const char* op = "avg_pool2d";
  require_floating_images(op, "x", x);
  const Pooling pooling = pooling_of(op, x.shape(), params);
  const OpRange range(op, x.device());
  Tensor y = Tensor::empty(output(pooling), x.dtype(), x.device());
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      avg_pool2d_cuda(pooling, x, y);
      return y;
    }
  }
  avg_pool2d_cpu(pooling, x, y);
  return y;
}

Tensor avg_pool2d_grad(const Tensor& dy, std::int64_t height, std::int64_t width,
                       const Pool2dParams& params) {
  const char* op = "avg_pool2d_grad";
  const Pooling pooling = pooling_behind(op, dy, height, width, params);
  const OpRange range(op, dy.device());
  Tensor dx = Tensor::empty(resized(dy, height, width), dy.dtype(), dy.device());
  if constexpr (cuda_build) {
    if (dy.device().is_cuda()) {
      avg_pool2d_grad_cuda(pooling, dy, dx);
      return dx;
    }
  }
  avg_pool2d_grad_cpu(pooling, dy, dx);
  return dx;
}

}  // namespace imago::kernels
