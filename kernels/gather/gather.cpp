#include "kernels/gather/gather.h"

#include <algorithm>
#include <atomic>
#include <string>

#include "kernels/concat/engines.h"
#include "kernels/cuda_build.h"
#include "kernels/gather/engines.h"
#include "kernels/parallel.h"
#include "tensor/op_range.h"

namespace imago::kernels {
namespace {

void require(const char* op, const Tensor& x, const Tensor& indices) {
  check(x.defined() && indices.defined(), op, x.defined() ? "indices" : "x", " is undefined");
  check(indices.dtype() == DType::i64, op, "indices are i64, not ", indices.dtype());
  check(x.device() == indices.device(), op, "x is on ", x.device(), " but indices are on ",
        indices.device());
}

void require_sums(const char* op, const Tensor& x) {
  check(is_floating(x.dtype()), op, "sums f32, f64 or bf16, not ", x.dtype(), "; cast it first");
}

// Throws unless a and b agree but along `axis`.
void require_alike(const char* op, const Tensor& x, int axis, const Tensor& indices) {
  Shape expected = x.shape();
  if (indices.dim() == x.dim()) expected.set(axis, indices.size(axis));
  check(indices.shape() == expected, op, "indices are ", indices.shape(), " but x is ", x.shape(),
        "; all extents but that of axis ", axis, " agree");
}

Picks picks_of(const Shape& x, int axis, std::int64_t picks) {
  const AxisView view = view_along(x, axis);
  return {view.outer, view.extent, view.inner, picks};
}

bool all_inside(const Tensor& indices, std::int64_t extent) {
  const std::int64_t* p = indices.data<std::int64_t>();
  std::atomic<bool> inside{true};
  parallel_ranges(indices.numel(), 4 * default_grain, [&](std::int64_t begin, std::int64_t end) {
    bool all = true;
    for (std::int64_t i = begin; i < end; ++i) {
      all &= static_cast<std::uint64_t>(p[i]) < static_cast<std::uint64_t>(extent);
    }
    if (!all) inside.store(false, std::memory_order_relaxed);
  });
  return inside.load();
}

std::string named_axis(int axis, const Shape& shape) {
  return "axis " + std::to_string(axis) + " of " + shape.to_string();
}

}  // namespace

void check_indices(const char* op, const Tensor& indices, std::int64_t extent, const char* of) {
  if (all_inside(indices, extent)) return;
  const std::int64_t* p = indices.data<std::int64_t>();
  std::int64_t at = 0;
  while (p[at] >= 0 && p[at] < extent) ++at;
  std::string position;
  std::int64_t rest = at;
  for (int d = indices.dim() - 1; d >= 0; --d) {
    position = std::to_string(rest % indices.size(d)) + (position.empty() ? "" : ", ") + position;
    rest /= indices.size(d);
  }
  fail(op, "index ", p[at], " at position (", position, ") of ", indices.shape(),
       " is outside of [0, ", extent, "), the range of ", of);
}

PickPlan plan_index_select(const Tensor& x, int axis, const Tensor& indices) {
  const char* const op = "index_select";
  require(op, x, indices);
  axis = checked_axis(op, x.shape(), axis);
  Shape shape;
  for (int d = 0; d < x.dim(); ++d) {
    if (d != axis) {
      shape.append(x.size(d));
      continue;
    }
    for (const std::int64_t extent : indices.shape()) shape.append(extent);
  }
  return {picks_of(x.shape(), axis, indices.numel()), shape};
}

PickPlan plan_index_add(const Tensor& x, int axis, const Tensor& indices, std::int64_t extent) {
  const char* const op = "index_add";
  require(op, x, indices);
  require_sums(op, x);
  const int dim = x.dim() - indices.dim() + 1;
  const int at = axis < 0 ? axis + dim : axis;
  bool fits = at >= 0 && at < dim;
  for (int d = 0; fits && d < indices.dim(); ++d) fits = x.size(at + d) == indices.size(d);
  check(fits, op, "indices ", indices.shape(), " do not stand at axis ", axis, " of x ", x.shape());
  check(extent >= 0, op, "the result would have ", extent, " elements along axis ", axis);
  Shape shape;
  for (int d = 0; d < at; ++d) shape.append(x.size(d));
  shape.append(extent);
  for (int d = at + indices.dim(); d < x.dim(); ++d) shape.append(x.size(d));
  return {picks_of(shape, at, indices.numel()), shape};
}

PickPlan plan_gather(const Tensor& x, int axis, const Tensor& indices) {
  const char* const op = "gather";
  require(op, x, indices);
  axis = checked_axis(op, x.shape(), axis);
  require_alike(op, x, axis, indices);
  return {picks_of(x.shape(), axis, indices.size(axis)), indices.shape()};
}

PickPlan plan_scatter_add(const Tensor& x, int axis, const Tensor& indices, std::int64_t extent) {
  const char* const op = "scatter_add";
  require(op, x, indices);
  require_sums(op, x);
  axis = checked_axis(op, x.shape(), axis);
  check(indices.shape() == x.shape(), op, "indices are ", indices.shape(), " but x is ", x.shape(),
        "; each element has its own index");
  check(extent >= 0, op, "the result would have ", extent, " elements along axis ", axis);
  Shape shape = x.shape();
  shape.set(axis, extent);
  return {picks_of(shape, axis, x.size(axis)), shape};
}

Tensor index_select(const Tensor& x, int axis, const Tensor& indices) {
  const auto [picks, shape] = plan_index_select(x, axis, indices);
  const OpRange range("index_select", x.device());
  Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      if (out.numel() > 0) index_select_words(picks, x, indices, out);
      return out;
    }
  }
  check_indices("index_select", indices, picks.extent, named_axis(axis, x.shape()).c_str());
  if (out.numel() > 0) index_select_direct(picks, x, indices, out);
  return out;
}

Tensor index_add(const Tensor& x, int axis, const Tensor& indices, std::int64_t extent) {
  const auto [picks, shape] = plan_index_add(x, axis, indices, extent);
  const OpRange range("index_add", x.device());
  Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      if (out.numel() > 0) index_add_lists(picks, x, indices, out);
      return out;
    }
  }
  check_indices("index_add", indices, extent, named_axis(axis, shape).c_str());
  if (out.numel() > 0) index_add_direct(picks, x, indices, out);
  return out;
}

Tensor gather(const Tensor& x, int axis, const Tensor& indices) {
  const auto [picks, shape] = plan_gather(x, axis, indices);
  const OpRange range("gather", x.device());
  Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  if (out.numel() == 0) return out;
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      gather_words(picks, x, indices, out);
      return out;
    }
  }
  if (!gather_direct(picks, x, indices, out)) {
    check_indices("gather", indices, picks.extent, named_axis(axis, x.shape()).c_str());
  }
  return out;
}

Tensor scatter_add(const Tensor& x, int axis, const Tensor& indices, std::int64_t extent) {
  const auto [picks, shape] = plan_scatter_add(x, axis, indices, extent);
  const OpRange range("scatter_add", x.device());
  Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      if (out.numel() > 0) scatter_add_columns(picks, x, indices, out);
      return out;
    }
  }
  check_indices("scatter_add", indices, extent, named_axis(axis, shape).c_str());
  if (out.numel() > 0) scatter_add_direct(picks, x, indices, out);
  return out;
}

Tensor one_hot(const Tensor& labels, std::int64_t classes, DType dtype) {
  check(labels.defined() && labels.dtype() == DType::i64, "one_hot", "labels are i64, not ",
        labels.defined() ? name_of(labels.dtype()) : "an undefined tensor");
  check(classes > 0, "one_hot", "needs at least one class, not ", classes);
  const OpRange range("one_hot", labels.device());
  Shape shape = labels.shape();
  shape.append(classes);
  Tensor out = Tensor::empty(shape, dtype, labels.device());
  if (out.numel() == 0) return out;
  if constexpr (cuda_build) {
    if (labels.device().is_cuda()) {
      one_hot_words(labels, out);
      return out;
    }
  }
  check_indices("one_hot", labels, classes, "the classes");
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      dtype, "one_hot", [&]<class T> {
        const std::int64_t* from = labels.data<std::int64_t>();
        T* to = out.mutable_data<T>();
        const std::int64_t grain = ceil_div(default_grain, classes);
        parallel_ranges(labels.numel(), grain, [&](std::int64_t begin, std::int64_t end) {
          std::fill(to + begin * classes, to + end * classes, T(0.0f));
          for (std::int64_t i = begin; i < end; ++i) to[i * classes + from[i]] = T(1.0f);
        });
      });
  return out;
}

}  // namespace imago::kernels
