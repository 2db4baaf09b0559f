// Functions of two arguments.
#include <algorithm>
#include <vector>

#include "kernels/cuda_build.h"
#include "kernels/elementwise/broadcast.h"
#include "kernels/elementwise/cpu_broadcast.h"
#include "kernels/elementwise/cpu_map.h"
#include "kernels/elementwise/elementwise.h"
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

// The slope may be repeated, x may not.
void check_slope(const char* op, const Tensor& x, const Tensor& slope) {
  require_alike(op, x, slope);
  check(broadcast_shape(op, x.shape(), slope.shape()) == x.shape(), op, "a slope of shape ",
        slope.shape(), " does not broadcast to x of shape ", x.shape());
}

constexpr std::int64_t vector_row = 16;  // elements from which on a row is worth its own loop

// Rows of an inner loop of length `row`, each met with the same `row` elements of the operand that
// repeats: repeats those elements until a call of map_binary is worth its overhead.
template <class T>
void repeated_rows(Binary op, bool first_repeats, const T* x, const T* y, T* out, std::int64_t rows,
                   std::int64_t row, acc_t<T> a, acc_t<T> b) {
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
               first_repeats ? y + i : repeating, out + i, n, a, b);
  }
}

// One part of the innermost loop: elements [begin, end) of it.
template <class T>
void inner_part(Binary op, const BroadcastAxis& axis, const T* x, const T* y, T* out,
                std::int64_t begin, std::int64_t end, acc_t<T> a, acc_t<T> b) {
  const Operands operands = axis.stride[1] == 0   ? Operands::first_only
                            : axis.stride[0] == 0 ? Operands::second_only
                                                  : Operands::both;
  map_binary(op, operands, x + begin * axis.stride[0], y + begin * axis.stride[1], out + begin,
             end - begin, a, b);
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
    at.a += step * loops[i].stride[0];
    at.b += step * loops[i].stride[1];
  }
  return at;
}

template <class T>
void binary_loops(Binary op, std::span<const BroadcastAxis> axes, const T* x, const T* y, T* out,
                  acc_t<T> a, acc_t<T> b) {
  const BroadcastAxis& inner = axes.back();
  // Both operands advance in the innermost loop and one repeats in the loop around it: a bias or a
  // scale per channel.
  if (axes.size() >= 2 && inner.stride[0] != 0 && inner.stride[1] != 0) {
    const BroadcastAxis& rows = axes[axes.size() - 2];
    const auto outer = axes.first(axes.size() - 2);
    if ((rows.stride[0] == 0) != (rows.stride[1] == 0)) {
      const std::int64_t block = std::max<std::int64_t>(1, default_grain / inner.extent);
      const std::int64_t blocks = ceil_div(rows.extent, block);
      parallel_for(steps_of(outer) * blocks, [&](std::int64_t part) {
        const Offsets at = offsets_of(part / blocks, outer);
        const std::int64_t begin = part % blocks * block;
        const std::int64_t end = std::min(begin + block, rows.extent);
        repeated_rows(op, rows.stride[0] == 0, x + at.a + begin * rows.stride[0],
                      y + at.b + begin * rows.stride[1],
                      out + (part / blocks * rows.extent + begin) * inner.extent, end - begin,
                      inner.extent, a, b);
      });
      return;
    }
  }
  // Long rows: cut into parts, in which an operand advances or is one element.
  if (inner.extent >= stretch_size) {
    const auto outer = axes.first(axes.size() - 1);
    const std::int64_t parts = ceil_div(inner.extent, default_grain);
    parallel_for(steps_of(outer) * parts, [&](std::int64_t part) {
      const Offsets at = offsets_of(part / parts, outer);
      const std::int64_t begin = part % parts * default_grain;
      inner_part(op, inner, x + at.a, y + at.b, out + part / parts * inner.extent, begin,
                 std::min(begin + default_grain, inner.extent), a, b);
    });
    return;
  }
  // Rows of vectors with a number each: a mask per pixel for example.
  if (axes.size() >= 2 && (inner.stride[0] == 0) != (inner.stride[1] == 0) &&
      inner.extent >= vector_row && op != Binary::pow) {
    const Operands operands = inner.stride[1] == 0 ? Operands::first_only : Operands::second_only;
    const BroadcastAxis& rows = axes[axes.size() - 2];
    const auto outer = axes.first(axes.size() - 2);
    const std::int64_t block = std::max<std::int64_t>(1, default_grain / inner.extent);
    const std::int64_t blocks = ceil_div(rows.extent, block);
    parallel_for(steps_of(outer) * blocks, [&](std::int64_t part) {
      const Offsets at = offsets_of(part / blocks, outer);
      const std::int64_t begin = part % blocks * block;
      map_binary_rows(op, operands, x + at.a + begin * rows.stride[0], rows.stride[0],
                      y + at.b + begin * rows.stride[1], rows.stride[1],
                      out + (part / blocks * rows.extent + begin) * inner.extent,
                      std::min(block, rows.extent - begin), inner.extent, a, b);
    });
    return;
  }
  // Short ones, of the channels of a pixel for example: an operand that repeats is laid out first.
  const LaidOut<T> first(axes, 0, x), second(axes, 1, y);
  parallel_ranges(steps_of(axes), default_grain, [&](std::int64_t begin, std::int64_t end) {
    T room_x[stretch_size], room_y[stretch_size];
    for (; begin < end; begin += stretch_size) {
      const std::int64_t n = std::min(stretch_size, end - begin);
      map_binary(op, Operands::both, first.stretch(begin, n, room_x),
                 second.stretch(begin, n, room_y), out + begin, n, a, b);
    }
  });
}

}  // namespace

Tensor binary(Binary op, const Tensor& x, const Tensor& y, double a, double b) {
  const char* name = name_of(op);
  require_alike(name, x, y);
  check(broadcasts(op) || x.shape() == y.shape(), name,
        "both arguments have one shape, but they are ", x.shape(), " and ", y.shape());
  const Shape shape = broadcast_shape(name, x.shape(), y.shape());
  const OpRange range(name, x.device());
  Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  if (out.numel() == 0) return out;
  const auto axes = broadcast_axes(shape, {x.shape(), y.shape()});
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      if (x.numel() == out.numel() && y.numel() == out.numel()) {
        binary_vector(op, x, y, a, b, out);
      } else {
        binary_broadcast(op, axes, x, y, out);
      }
      return out;
    }
  }
  dispatch<float, double, bf16>(x.dtype(), name, [&]<class T> {
    binary_loops(op, std::span<const BroadcastAxis>(axes), x.data<T>(), y.data<T>(),
                 out.mutable_data<T>(), static_cast<acc_t<T>>(a), static_cast<acc_t<T>>(b));
  });
  return out;
}

void add_into(Tensor& a, const Tensor& b) {
  require_alike("add_into", a, b);
  check(a.shape() == b.shape(), "add_into", "the sum has shape ", a.shape(), " but the term has ",
        b.shape());
  const OpRange range("add_into", a.device());
  if constexpr (cuda_build) {
    if (a.device().is_cuda()) return binary_vector(Binary::add, a, b, 0, 0, a);
  }
  dispatch<float, double, bf16>(a.dtype(), "add_into", [&]<class T> {
    T* pa = a.mutable_data<T>();
    const T* pb = b.data<T>();
    parallel_ranges(a.numel(), default_grain, [&](std::int64_t begin, std::int64_t end) {
      map_binary(Binary::add, Operands::both, pa + begin, pb + begin, pa + begin, end - begin,
                 acc_t<T>(0), acc_t<T>(0));
    });
  });
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

Tensor maximum(const Tensor& a, const Tensor& b) {
  return binary(Binary::maximum, a, b);
}
Tensor minimum(const Tensor& a, const Tensor& b) {
  return binary(Binary::minimum, a, b);
}
Tensor greater_share(const Tensor& a, const Tensor& b) {
  return binary(Binary::greater_share, a, b);
}
Tensor pow(const Tensor& a, const Tensor& b) {
  return binary(Binary::pow, a, b);
}
Tensor prelu(const Tensor& x, const Tensor& slope) {
  check_slope("prelu", x, slope);
  return binary(Binary::prelu, x, slope);
}
Tensor prelu_factor(const Tensor& x, const Tensor& slope) {
  check_slope("prelu_factor", x, slope);
  return binary(Binary::prelu_factor, x, slope);
}
Tensor clamp_grad(const Tensor& dy, const Tensor& x, const Bounds& bounds) {
  return binary(Binary::clamp_grad, dy, x, bounds.low, bounds.high);
}
Tensor gelu_grad(const Tensor& dy, const Tensor& x, Gelu form) {
  return binary(form == Gelu::erf ? Binary::gelu_grad : Binary::gelu_tanh_grad, dy, x);
}
Tensor silu_grad(const Tensor& dy, const Tensor& x) {
  return binary(Binary::silu_grad, dy, x);
}
Tensor prelu_slope_grad(const Tensor& dy, const Tensor& x) {
  return binary(Binary::prelu_slope_grad, dy, x);
}

const char* name_of(Binary op) {
  return binary_names[static_cast<std::size_t>(op)];
}

}  // namespace imago::kernels
