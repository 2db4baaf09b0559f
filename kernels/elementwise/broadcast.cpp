#include "kernels/elementwise/broadcast.h"

#include <algorithm>

#include "tensor/error.h"

namespace imago::kernels {
namespace {

// Extent of axis i of a result with `dim` axes; 1 where `shape` has no such axis.
std::int64_t aligned_extent(const Shape& shape, int i, int dim) {
  const int own = i - (dim - shape.dim());
  return own < 0 ? 1 : shape[own];
}

}  // namespace

Shape broadcast_shape(const char* op, const Shape& a, const Shape& b) {
  const int dim = std::max(a.dim(), b.dim());
  Shape out;
  for (int i = 0; i < dim; ++i) {
    const std::int64_t ea = aligned_extent(a, i, dim);
    const std::int64_t eb = aligned_extent(b, i, dim);
    check(ea == eb || ea == 1 || eb == 1, op, "shapes ", a, " and ", b,
          " do not broadcast: aligned at the innermost dimension, extents ", ea, " and ", eb,
          " meet; is a dimension missing or in another order?");
    out.append(ea == 1 ? eb : ea);
  }
  return out;
}

std::vector<BroadcastAxis> broadcast_axes(const Shape& out, std::initializer_list<Shape> operands) {
  check(operands.size() <= 3, "broadcast_axes", "at most three operands, not ", operands.size());
  // Built innermost first, reversed at the end.
  std::vector<BroadcastAxis> axes;
  std::int64_t pitch[3] = {1, 1, 1};
  for (int i = out.dim() - 1; i >= 0; --i) {
    BroadcastAxis axis{out[i], {0, 0, 0}};
    std::size_t k = 0;
    for (const Shape& operand : operands) {
      const std::int64_t extent = aligned_extent(operand, i, out.dim());
      axis.stride[k] = extent == 1 ? 0 : pitch[k];
      pitch[k++] *= extent;
    }
    if (axis.extent == 1) continue;
    if (!axes.empty()) {
      BroadcastAxis& inner = axes.back();
      bool fits = true;
      for (k = 0; k < 3; ++k) fits &= axis.stride[k] == inner.stride[k] * inner.extent;
      if (fits) {
        inner.extent *= axis.extent;
        continue;
      }
    }
    axes.push_back(axis);
  }
  if (axes.empty()) axes.push_back({1, {1, 1, 1}});
  std::reverse(axes.begin(), axes.end());
  return axes;
}

}  // namespace imago::kernels
