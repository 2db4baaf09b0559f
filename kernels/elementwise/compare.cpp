#include "kernels/elementwise/compare.h"

#include <array>
#include <limits>

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

void require_alike(const char* op, const Tensor& a, const Tensor& b) {
  check(a.defined(), op, "the first argument is undefined");
  check(b.defined(), op, "the second argument is undefined");
  check(a.dtype() == b.dtype(), op, "dtypes differ: ", a.dtype(), " ", a.shape(), " and ",
        b.dtype(), " ", b.shape(), "; cast one of them");
  check(a.device() == b.device(), op, "devices differ: ", a.device(), " and ", b.device());
}

void require_floating(const char* op, const Tensor& x) {
  check(x.defined(), op, "the argument is undefined");
  check(is_floating(x.dtype()), op, "the argument is ", x.dtype(),
        "; it takes f32, f64 or bf16; cast it first");
}

// A number to compare the elements of `a` with, as a tensor ().
Tensor number_like(const char* op, const Tensor& a, double value) {
  check(a.defined(), op, "the first argument is undefined");
  if (!is_floating(a.dtype())) {
    dispatch<std::int32_t, std::int64_t, std::uint8_t>(a.dtype(), op, [&]<class T> {
      // 2^digits is the first number too large and exact in f64.
      const double end = 2.0 * static_cast<double>(std::numeric_limits<T>::max() / 2 + 1);
      const double low = static_cast<double>(std::numeric_limits<T>::min());
      check(value >= low && value < end && value == static_cast<double>(static_cast<T>(value)), op,
            "no ", a.dtype(), " is ", value, "; cast the tensor to a floating dtype first");
    });
  }
  return full({}, value, a.dtype(), a.device());
}

template <class F>
void any_dtype(DType dtype, const char* op, F&& f) {
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(dtype, op, f);
}

// Calls f(begin, n) on stretches that cover [0, count), shared among threads.
template <class F>
void for_stretches(std::int64_t count, F&& f) {
  parallel_ranges(count, default_grain, [&](std::int64_t begin, std::int64_t end) {
    for (; begin < end; begin += stretch_size) f(begin, std::min(stretch_size, end - begin));
  });
}

}  // namespace

Tensor compare(Comparison op, const Tensor& a, const Tensor& b) {
  const char* name = name_of(op);
  require_alike(name, a, b);
  const Shape shape = broadcast_shape(name, a.shape(), b.shape());
  const OpRange range(name, a.device());
  Tensor out = Tensor::empty(shape, DType::u8, a.device());
  if (out.numel() == 0) return out;
  const auto axes = broadcast_axes(shape, {a.shape(), b.shape()});
  if constexpr (cuda_build) {
    if (a.device().is_cuda()) {
      compare_broadcast(op, axes, a, b, out);
      return out;
    }
  }
  std::uint8_t* po = out.mutable_data<std::uint8_t>();
  any_dtype(a.dtype(), name, [&]<class T> {
    const LaidOut<T> x(axes, 0, a.data<T>()), y(axes, 1, b.data<T>());
    for_stretches(out.numel(), [&](std::int64_t begin, std::int64_t n) {
      T room_x[stretch_size], room_y[stretch_size];
      map_compare(a.dtype(), op, x.stretch(begin, n, room_x), y.stretch(begin, n, room_y),
                  po + begin, n);
    });
  });
  return out;
}

Tensor equal_elements(const Tensor& a, const Tensor& b) {
  const char* op = "equal_elements";
  require_floating(op, a);
  require_floating(op, b);
  check(a.shape() == b.shape() && a.dtype() == b.dtype() && a.device() == b.device(), op,
        "takes tensors of one shape, dtype and device, not ", a.shape(), " ", a.dtype(), " on ",
        a.device(), " and ", b.shape(), " ", b.dtype(), " on ", b.device());
  const OpRange range(op, a.device());
  Tensor out = Tensor::empty_like(a);
  if constexpr (cuda_build) {
    if (a.device().is_cuda()) {
      if (a.numel() > 0) equal_vector(a, b, out);
      return out;
    }
  }
  dispatch<float, double, bf16>(a.dtype(), op, [&]<class T> {
    const T *pa = a.data<T>(), *pb = b.data<T>();
    T* po = out.mutable_data<T>();
    parallel_ranges(a.numel(), default_grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const bool same = (pa[i] == pb[i]) | ((pa[i] != pa[i]) & (pb[i] != pb[i]));
        po[i] = static_cast<T>(same ? 1.0f : 0.0f);
      }
    });
  });
  return out;
}

Tensor where(const Tensor& mask, const Tensor& a, const Tensor& b) {
  check(mask.defined(), "where", "the mask is undefined");
  check(mask.dtype() == DType::u8, "where", "the mask is ", mask.dtype(),
        ", not u8; make it with a comparison");
  require_alike("where", a, b);
  check(mask.device() == a.device(), "where", "devices differ: ", mask.device(), " and ",
        a.device());
  const Shape shape =
      broadcast_shape("where", mask.shape(), broadcast_shape("where", a.shape(), b.shape()));
  const OpRange range("where", a.device());
  Tensor out = Tensor::empty(shape, a.dtype(), a.device());
  if (out.numel() == 0) return out;
  const auto axes = broadcast_axes(shape, {mask.shape(), a.shape(), b.shape()});
  if constexpr (cuda_build) {
    if (a.device().is_cuda()) {
      where_broadcast(axes, mask, a, b, out);
      return out;
    }
  }
  any_dtype(a.dtype(), "where", [&]<class T> {
    const LaidOut<std::uint8_t> m(axes, 0, mask.data<std::uint8_t>());
    const LaidOut<T> x(axes, 1, a.data<T>()), y(axes, 2, b.data<T>());
    T* po = out.mutable_data<T>();
    for_stretches(out.numel(), [&](std::int64_t begin, std::int64_t n) {
      std::uint8_t room_m[stretch_size];
      T room_x[stretch_size], room_y[stretch_size];
      map_where(a.dtype(), m.stretch(begin, n, room_m), x.stretch(begin, n, room_x),
                y.stretch(begin, n, room_y), po + begin, n);
    });
  });
  return out;
}

Tensor equal(const Tensor& a, const Tensor& b) {
  return compare(Comparison::equal, a, b);
}
Tensor not_equal(const Tensor& a, const Tensor& b) {
  return compare(Comparison::not_equal, a, b);
}
Tensor less(const Tensor& a, const Tensor& b) {
  return compare(Comparison::less, a, b);
}
Tensor less_equal(const Tensor& a, const Tensor& b) {
  return compare(Comparison::less_equal, a, b);
}
Tensor greater(const Tensor& a, const Tensor& b) {
  return compare(Comparison::less, b, a);
}
Tensor greater_equal(const Tensor& a, const Tensor& b) {
  return compare(Comparison::less_equal, b, a);
}
Tensor equal(const Tensor& a, double b) {
  return equal(a, number_like("equal", a, b));
}
Tensor not_equal(const Tensor& a, double b) {
  return not_equal(a, number_like("not_equal", a, b));
}
Tensor less(const Tensor& a, double b) {
  return less(a, number_like("less", a, b));
}
Tensor less_equal(const Tensor& a, double b) {
  return less_equal(a, number_like("less_equal", a, b));
}
Tensor greater(const Tensor& a, double b) {
  return greater(a, number_like("greater", a, b));
}
Tensor greater_equal(const Tensor& a, double b) {
  return greater_equal(a, number_like("greater_equal", a, b));
}
Tensor logical_and(const Tensor& a, const Tensor& b) {
  return compare(Comparison::logical_and, a, b);
}
Tensor logical_or(const Tensor& a, const Tensor& b) {
  return compare(Comparison::logical_or, a, b);
}
Tensor logical_not(const Tensor& a) {
  return equal(a, number_like("logical_not", a, 0));
}

const char* name_of(Comparison op) {
  static constexpr std::array names{"equal",      "not_equal",   "less",
                                    "less_equal", "logical_and", "logical_or"};
  return names[static_cast<std::size_t>(op)];
}

}  // namespace imago::kernels
