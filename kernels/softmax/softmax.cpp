#include "kernels/softmax/softmax.h"

#include <algorithm>
#include <vector>

#include "kernels/cuda_build.h"
#include "kernels/parallel.h"
#include "kernels/softmax/engines.h"
#include "tensor/op_range.h"

namespace imago::kernels {

const char* name_of(Softmax op) {
  switch (op) {
    case Softmax::softmax:
      return "softmax";
    case Softmax::log_softmax:
      return "log_softmax";
    case Softmax::softmax_grad:
      return "softmax_grad";
    case Softmax::log_softmax_grad:
      return "log_softmax_grad";
  }
  return "?";
}

Tensor softmax_any(Softmax op, const Tensor& a, const Tensor& b, int axis) {
  const char* name = name_of(op);
  check(a.defined() && b.defined(), name, "an argument is undefined");
  check(is_floating(a.dtype()), name, "the argument is ", a.dtype(),
        "; it takes f32, f64 or bf16; cast it first");
  check(a.shape() == b.shape() && a.dtype() == b.dtype() && a.device() == b.device(), name,
        "dy is ", a.shape(), " ", a.dtype(), " on ", a.device(), " but y is ", b.shape(), " ",
        b.dtype(), " on ", b.device(), "; it takes the y that ",
        op == Softmax::log_softmax_grad ? "log_softmax" : "softmax", " gave, and dy like it");
  const int at = axis < 0 ? axis + a.dim() : axis;
  check(at >= 0 && at < a.dim(), name, "axis ", axis, " is out of range for ", a.shape());
  const OpRange range(name, a.device());
  Tensor out = Tensor::empty_like(a);
  if (a.numel() == 0) return out;
  std::int64_t inner = 1;
  for (int i = at + 1; i < a.dim(); ++i) inner *= a.size(i);
  const std::int64_t length = a.size(at), outer = a.numel() / (length * inner);
  if constexpr (cuda_build) {
    if (a.device().is_cuda()) {
      if (inner == 1) {
        softmax_rows_cuda(op, a, b, outer, length, out);
      } else {
        softmax_columns_cuda(op, a, b, outer, length, inner, out);
      }
      return out;
    }
  }
  std::byte* po = out.mutable_bytes();
  const std::size_t size = size_of(a.dtype());
  const auto call = [&](std::int64_t first, std::int64_t rows, std::int64_t columns,
                        std::vector<double>& scratch) {
    const std::size_t offset = static_cast<std::size_t>(first) * size;
    run_softmax({op, a.dtype(), a.bytes() + offset, b.bytes() + offset, po + offset, rows, length,
                 columns, inner, scratch.data()});
  };
  // In f64, which is as much as any acc_t needs.
  const auto scratch_for = [&](std::int64_t elements) {
    return std::vector<double>(static_cast<std::size_t>(elements));
  };
  if (inner == 1) {
    const std::int64_t grain = std::max<std::int64_t>(1, default_grain / 2 / length);
    parallel_ranges(outer, grain, [&](std::int64_t begin, std::int64_t end) {
      std::vector<double> scratch = scratch_for(softmax_scratch(length, 0));
      call(begin * length, end - begin, 0, scratch);
    });
    return out;
  }
  const std::int64_t tiles = ceil_div(inner, softmax_tile);
  const std::int64_t work = length * std::min(inner, softmax_tile);
  const std::int64_t grain = std::max<std::int64_t>(1, default_grain / 2 / work);
  parallel_ranges(outer * tiles, grain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> scratch = scratch_for(softmax_scratch(length, softmax_tile));
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t first = task % tiles * softmax_tile;
      call(task / tiles * length * inner + first, 0, std::min(softmax_tile, inner - first),
           scratch);
    }
  });
  return out;
}

Tensor softmax(const Tensor& x, int axis) {
  return softmax_any(Softmax::softmax, x, x, axis);
}
Tensor log_softmax(const Tensor& x, int axis) {
  return softmax_any(Softmax::log_softmax, x, x, axis);
}
Tensor softmax_grad(const Tensor& dy, const Tensor& y, int axis) {
  return softmax_any(Softmax::softmax_grad, dy, y, axis);
}
Tensor log_softmax_grad(const Tensor& dy, const Tensor& y, int axis) {
  return softmax_any(Softmax::log_softmax_grad, dy, y, axis);
}

}  // namespace imago::kernels
