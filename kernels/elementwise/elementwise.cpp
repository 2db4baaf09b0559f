#include "kernels/elementwise/elementwise.h"

#include <algorithm>
#include <array>
#include <vector>

#include "kernels/cuda_build.h"
#include "kernels/elementwise/broadcast.h"
#include "kernels/elementwise/cpu_map.h"
#include "kernels/elementwise/engines.h"
#include "kernels/parallel.h"
#include "tensor/op_range.h"

namespace imago::kernels {
namespace {

void require_floating(const char* op, const char* what, const Tensor& x) {
  check(x.defined(), op, what, " is undefined");
  check(is_floating(x.dtype()), op, what, " is ", x.dtype(),
        "; it takes f32, f64 or bf16; cast it first");
}

void require_alike(const char* op, const Tensor& x, const Tensor& y) {
  require_floating(op, "the first argument", x);
  require_floating(op, "the second argument", y);
  check(x.dtype() == y.dtype(), op, "dtypes differ: ", x.dtype(), " ", x.shape(), " and ",
        y.dtype(), " ", y.shape(), "; cast one of them");
  check(x.device() == y.device(), op, "devices differ: ", x.device(), " and ", y.device(),
        "; move one of them with to(device)");
}

bool broadcasts(Binary op) {
  return op == Binary::add || op == Binary::sub || op == Binary::mul || op == Binary::div;
}

// Rows of an inner loop of length `row`, each met with the same `row` elements of the operand that
// repeats: repeats those elements until a call of map_binary is worth its overhead.
template <class T>
void repeated_rows(Binary op, bool first_repeats, const T* x, const T* y, T* out, std::int64_t rows,
                   std::int64_t row, acc_t<T> a) {
  const T* repeating = first_repeats ? x : y;
  const std::int64_t copies = std::min(rows, std::max<std::int64_t>(1, 2048 / row));
  std::vector<T> pattern;
  if (copies > 1) {
    pattern.reserve(static_cast<std::size_t>(copies * row));
    for (std::int64_t i = 0; i < copies; ++i) {
      pattern.insert(pattern.end(), repeating, repeating + row);
    }
    repeating = pattern.data();
  }
  const std::int64_t step = copies * row;
  for (std::int64_t i = 0; i < rows * row; i += step) {
    const std::int64_t n = std::min(step, rows * row - i);
    map_binary(op, Operands::both, first_repeats ? repeating : x + i,
               first_repeats ? y + i : repeating, out + i, n, a);
  }
}

// One part of the innermost loop: elements [begin, end) of it.
template <class T>
void inner_part(Binary op, const BroadcastAxis& axis, const T* x, const T* y, T* out,
                std::int64_t begin, std::int64_t end, acc_t<T> a) {
  const Operands operands = axis.stride_b == 0   ? Operands::first_only
                            : axis.stride_a == 0 ? Operands::second_only
                                                 : Operands::both;
  map_binary(op, operands, x + begin * axis.stride_a, y + begin * axis.stride_b, out + begin,
             end - begin, a);
}

// Offsets of the operands at step `index` of the outer loops.
struct Offsets {
  std::int64_t a, b;
};
Offsets offsets_of(std::int64_t index, std::span<const BroadcastAxis> loops) {
  Offsets at{0, 0};
  for (std::size_t i = loops.size(); i-- > 0;) {
    const std::int64_t step = index % loops[i].extent;
    index /= loops[i].extent;
    at.a += step * loops[i].stride_a;
    at.b += step * loops[i].stride_b;
  }
  return at;
}

std::int64_t steps_of(std::span<const BroadcastAxis> loops) {
  std::int64_t steps = 1;
  for (const BroadcastAxis& loop : loops) steps *= loop.extent;
  return steps;
}

template <class T>
void binary_loops(Binary op, std::span<const BroadcastAxis> axes, const T* x, const T* y, T* out,
                  acc_t<T> a) {
  const BroadcastAxis& inner = axes.back();
  // Both operands advance in the innermost loop and one repeats in the loop around it: a bias or a
  // scale per channel.
  if (axes.size() >= 2 && inner.stride_a != 0 && inner.stride_b != 0) {
    const BroadcastAxis& rows = axes[axes.size() - 2];
    const auto outer = axes.first(axes.size() - 2);
    if ((rows.stride_a == 0) != (rows.stride_b == 0)) {
      const std::int64_t block = std::max<std::int64_t>(1, default_grain / inner.extent);
      const std::int64_t blocks = ceil_div(rows.extent, block);
      parallel_for(steps_of(outer) * blocks, [&](std::int64_t part) {
        const Offsets at = offsets_of(part / blocks, outer);
        const std::int64_t begin = part % blocks * block;
        const std::int64_t end = std::min(begin + block, rows.extent);
        repeated_rows(op, rows.stride_a == 0, x + at.a + begin * rows.stride_a,
                      y + at.b + begin * rows.stride_b,
                      out + (part / blocks * rows.extent + begin) * inner.extent, end - begin,
                      inner.extent, a);
      });
      return;
    }
  }
  const auto outer = axes.first(axes.size() - 1);
  const std::int64_t steps = steps_of(outer);
  if (inner.extent >= default_grain) {
    const std::int64_t parts = ceil_div(inner.extent, default_grain);
    parallel_for(steps * parts, [&](std::int64_t part) {
      const Offsets at = offsets_of(part / parts, outer);
      const std::int64_t begin = part % parts * default_grain;
      inner_part(op, inner, x + at.a, y + at.b, out + part / parts * inner.extent, begin,
                 std::min(begin + default_grain, inner.extent), a);
    });
    return;
  }
  parallel_ranges(steps, default_grain / inner.extent, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t step = begin; step < end; ++step) {
      const Offsets at = offsets_of(step, outer);
      inner_part(op, inner, x + at.a, y + at.b, out + step * inner.extent, 0, inner.extent, a);
    }
  });
}

}  // namespace

Tensor unary(Unary op, const Tensor& x, double a) {
  const char* name = name_of(op);
  require_floating(name, "the argument", x);
  const OpRange range(name, x.device());
  Tensor out = Tensor::empty_like(x);
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      unary_vector(op, x, a, out);
      return out;
    }
  }
  dispatch<float, double, bf16>(x.dtype(), name, [&]<class T> {
    const T* px = x.data<T>();
    T* po = out.mutable_data<T>();
    parallel_ranges(x.numel(), default_grain, [&](std::int64_t begin, std::int64_t end) {
      map_unary(op, px + begin, po + begin, end - begin, static_cast<acc_t<T>>(a));
    });
  });
  return out;
}

Tensor binary(Binary op, const Tensor& x, const Tensor& y, double a) {
  const char* name = name_of(op);
  require_alike(name, x, y);
  check(broadcasts(op) || x.shape() == y.shape(), name,
        "both arguments have one shape, but they are ", x.shape(), " and ", y.shape());
  const Shape shape = broadcast_shape(name, x.shape(), y.shape());
  const OpRange range(name, x.device());
  Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  if (out.numel() == 0) return out;
  const auto axes = broadcast_axes(shape, x.shape(), y.shape());
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      if (x.numel() == out.numel() && y.numel() == out.numel()) {
        binary_vector(op, x, y, a, out);
      } else {
        binary_broadcast(op, axes, x, y, out);
      }
      return out;
    }
  }
  dispatch<float, double, bf16>(x.dtype(), name, [&]<class T> {
    binary_loops(op, std::span<const BroadcastAxis>(axes), x.data<T>(), y.data<T>(),
                 out.mutable_data<T>(), static_cast<acc_t<T>>(a));
  });
  return out;
}

void add_into(Tensor& a, const Tensor& b) {
  require_alike("add_into", a, b);
  check(a.shape() == b.shape(), "add_into", "the sum has shape ", a.shape(), " but the term has ",
        b.shape());
  const OpRange range("add_into", a.device());
  if constexpr (cuda_build) {
    if (a.device().is_cuda()) return binary_vector(Binary::add, a, b, 0, a);
  }
  dispatch<float, double, bf16>(a.dtype(), "add_into", [&]<class T> {
    T* pa = a.mutable_data<T>();
    const T* pb = b.data<T>();
    parallel_ranges(a.numel(), default_grain, [&](std::int64_t begin, std::int64_t end) {
      map_binary(Binary::add, Operands::both, pa + begin, pb + begin, pa + begin, end - begin,
                 acc_t<T>(0));
    });
  });
}

Tensor neg(const Tensor& x) {
  return unary(Unary::neg, x);
}
Tensor exp(const Tensor& x) {
  return unary(Unary::exp, x);
}
Tensor log(const Tensor& x) {
  return unary(Unary::log, x);
}
Tensor sqrt(const Tensor& x) {
  return unary(Unary::sqrt, x);
}
Tensor square(const Tensor& x) {
  return unary(Unary::square, x);
}
Tensor tanh(const Tensor& x) {
  return unary(Unary::tanh, x);
}
Tensor sigmoid(const Tensor& x) {
  return unary(Unary::sigmoid, x);
}
Tensor softplus(const Tensor& x) {
  return unary(Unary::softplus, x);
}
Tensor relu(const Tensor& x) {
  return unary(Unary::relu, x);
}
Tensor leaky_relu(const Tensor& x, double slope) {
  return unary(Unary::leaky_relu, x, slope);
}
Tensor abs(const Tensor& x) {
  return unary(Unary::abs, x);
}
Tensor scale(const Tensor& x, double factor) {
  return unary(Unary::scale, x, factor);
}
Tensor add_scalar(const Tensor& x, double term) {
  return unary(Unary::add_scalar, x, term);
}
Tensor add(const Tensor& a, const Tensor& b) {
  return binary(Binary::add, a, b);
}
Tensor sub(const Tensor& a, const Tensor& b) {
  return binary(Binary::sub, a, b);
}
Tensor mul(const Tensor& a, const Tensor& b) {
  return binary(Binary::mul, a, b);
}
Tensor div(const Tensor& a, const Tensor& b) {
  return binary(Binary::div, a, b);
}
Tensor tanh_grad(const Tensor& dy, const Tensor& y) {
  return binary(Binary::tanh_grad, dy, y);
}
Tensor sigmoid_grad(const Tensor& dy, const Tensor& y) {
  return binary(Binary::sigmoid_grad, dy, y);
}
Tensor relu_grad(const Tensor& dy, const Tensor& x) {
  return binary(Binary::relu_grad, dy, x);
}
Tensor leaky_relu_grad(const Tensor& dy, const Tensor& x, double slope) {
  return binary(Binary::leaky_relu_grad, dy, x, slope);
}
Tensor abs_grad(const Tensor& dy, const Tensor& x) {
  return binary(Binary::abs_grad, dy, x);
}

const char* name_of(Unary op) {
  static constexpr std::array names{"neg",  "exp",     "log",       "sqrt", "square",
                                    "tanh", "sigmoid", "softplus",  "relu", "leaky_relu",
                                    "abs",  "scale",   "add_scalar"};
  return names[static_cast<std::size_t>(op)];
}

const char* name_of(Binary op) {
  static constexpr std::array names{"add",       "sub",          "mul",       "div",
                                    "tanh_grad", "sigmoid_grad", "relu_grad", "leaky_relu_grad",
                                    "abs_grad"};
  return names[static_cast<std::size_t>(op)];
}

}  // namespace imago::kernels
