// Functions of one argument.
#include "kernels/cuda_build.h"
#include "kernels/elementwise/cpu_map.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/engines.h"
#include "kernels/parallel.h"
#include "tensor/op_range.h"

namespace imago::kernels {

Tensor unary(Unary op, const Tensor& x, double a, double b) {
  const char* name = name_of(op);
  check(x.defined(), name, "the argument is undefined");
  check(is_floating(x.dtype()), name, "the argument is ", x.dtype(),
        "; it takes f32, f64 or bf16; cast it first");
  const OpRange range(name, x.device());
  Tensor out = Tensor::empty_like(x);
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      unary_vector(op, x, a, b, out);
      return out;
    }
  }
  dispatch<float, double, bf16>(x.dtype(), name, [&]<class T> {
    const T* px = x.data<T>();
    T* po = out.mutable_data<T>();
    parallel_ranges(x.numel(), default_grain, [&](std::int64_t begin, std::int64_t end) {
      map_unary(op, px + begin, po + begin, end - begin, static_cast<acc_t<T>>(a),
                static_cast<acc_t<T>>(b));
    });
  });
  return out;
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
Tensor rsqrt(const Tensor& x) {
  return unary(Unary::rsqrt, x);
}
Tensor reciprocal(const Tensor& x) {
  return unary(Unary::reciprocal, x);
}
Tensor sign(const Tensor& x) {
  return unary(Unary::sign, x);
}
Tensor erf(const Tensor& x) {
  return unary(Unary::erf, x);
}
Tensor silu(const Tensor& x) {
  return unary(Unary::silu, x);
}

Tensor gelu(const Tensor& x, Gelu form) {
  return unary(form == Gelu::erf ? Unary::gelu : Unary::gelu_tanh, x);
}

Tensor pow(const Tensor& x, double exponent) {
  if (exponent == 2.0) return unary(Unary::square, x);
  if (exponent == 1.0) return unary(Unary::scale, x, 1.0);
  if (exponent == 0.5) return unary(Unary::sqrt, x);
  if (exponent == -0.5) return unary(Unary::rsqrt, x);
  if (exponent == -1.0) return unary(Unary::reciprocal, x);
  return unary(Unary::pow, x, exponent);
}

void check_bounds(const char* op, const Bounds& bounds) {
  check(bounds.low <= bounds.high, op, "the lower bound ", bounds.low,
        " is not below the upper bound ", bounds.high);
}

Tensor clamp(const Tensor& x, const Bounds& bounds) {
  check_bounds("clamp", bounds);
  return unary(Unary::clamp, x, bounds.low, bounds.high);
}

const char* name_of(Unary op) {
  return unary_names[static_cast<std::size_t>(op)];
}

}  // namespace imago::kernels
