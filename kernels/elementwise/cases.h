// Cases that drive the tests and the bench of the elementwise operations.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/elementwise/elementwise.h"
#include "kernels/tolerance.h"

namespace imago::kernels {

// The largest error of an elementwise function that errs by `ulps` units in the last place of its
// accumulator type before it is rounded to `dtype`, where the true result is `value`. A unit of a
// value just below a power of two is half an epsilon of it, so `ulps` epsilons always cover it.
inline double elementwise_tolerance(DType dtype, double ulps, double value) {
  const double store = dtype == acc_dtype(dtype) ? 0.0 : 0.5 * epsilon(dtype);
  const double smallest = dtype == DType::f64 ? 0.0 : 0x1p-126;  // below it precision fades out
  return (ulps * epsilon(acc_dtype(dtype)) + store) * std::fmax(std::fabs(value), smallest);
}

struct UnaryCase {
  Unary op;
  double a;          // slope, factor or term
  double low, high;  // where the function is smooth and finite
  double ulps;       // error in f32; f64 on the CPU is the specification itself
  double kink = std::numeric_limits<double>::quiet_NaN();  // where it has no derivative
  double cuda_ulps = 0;  // in f64 on a GPU, whose library is not the CPU's
  double b = 0;          // upper bound

  double tolerance(DType dtype, double value, Device device = Device::cpu()) const {
    const double f64_ulps = device.is_cuda() ? cuda_ulps : 0;
    return elementwise_tolerance(dtype, dtype == DType::f64 ? f64_ulps : ulps, value);
  }
  // Bytes that must move: one read, one write.
  double bytes(DType dtype, std::int64_t n) const {
    return 2.0 * static_cast<double>(n) * static_cast<double>(size_of(dtype));
  }
};

inline std::vector<UnaryCase> unary_cases() {
  return {
      {Unary::neg, 0, -9, 9, 0},
      {.op = Unary::exp, .a = 0, .low = -20, .high = 20, .ulps = 1, .cuda_ulps = 2},
      {.op = Unary::log, .a = 0, .low = 1e-3, .high = 50, .ulps = 2, .cuda_ulps = 2},
      {Unary::sqrt, 0, 1e-3, 50, 0.5},
      {Unary::square, 0, -9, 9, 0.5},
      {.op = Unary::tanh, .a = 0, .low = -6, .high = 6, .ulps = 3, .cuda_ulps = 4},
      {.op = Unary::sigmoid, .a = 0, .low = -20, .high = 20, .ulps = 3, .cuda_ulps = 4},
      {.op = Unary::softplus, .a = 0, .low = -20, .high = 20, .ulps = 3, .cuda_ulps = 4},
      {Unary::relu, 0, -9, 9, 0, 0.0},
      // The parameter is rounded, then the product.
      {Unary::leaky_relu, 0.2, -9, 9, 1, 0.0},
      {Unary::abs, 0, -9, 9, 0, 0.0},
      {Unary::scale, -1.75, -9, 9, 0.5},
      {Unary::add_scalar, 11.5, -9, 9, 0.5},
      {Unary::rsqrt, 0, 1e-3, 50, 1},
      {Unary::reciprocal, 0, 1e-3, 50, 0.5},
      {.op = Unary::pow, .a = 2.75, .low = 1e-3, .high = 50, .ulps = 0.51, .cuda_ulps = 2},
      {Unary::sign, 0, -9, 9, 0, 0.0},
      {.op = Unary::clamp, .a = -1.5, .low = -9, .high = 9, .ulps = 0, .b = 2},
      {.op = Unary::erf, .a = 0, .low = -4, .high = 4, .ulps = 3, .cuda_ulps = 4},
      {.op = Unary::gelu, .a = 0, .low = -5, .high = 6, .ulps = 4, .cuda_ulps = 8},
      // The exponential makes units in the last place of its argument, 6.7 at -3, relative errors.
      {.op = Unary::gelu_tanh, .a = 0, .low = -3, .high = 6, .ulps = 15, .cuda_ulps = 16},
      {.op = Unary::silu, .a = 0, .low = -20, .high = 20, .ulps = 4, .cuda_ulps = 4},
  };
}

struct BinaryCase {
  Binary op;
  double a;
  double ulps;  // as in UnaryCase
  double cuda_ulps = 0;
  double b = 0;
  bool positive = false;  // the first argument must be

  double tolerance(DType dtype, double value, Device device = Device::cpu()) const {
    const double f64_ulps = device.is_cuda() ? cuda_ulps : 0;
    return elementwise_tolerance(dtype, dtype == DType::f64 ? f64_ulps : ulps, value);
  }
};

// For second arguments in (0.05, 0.95): 1 - y^2 loses digits where y is near 1, and gelu_grad near
// its zero at -0.75.
inline std::vector<BinaryCase> binary_cases() {
  return {
      {Binary::add, 0, 0.5},
      {Binary::sub, 0, 0.5},
      {Binary::mul, 0, 0.5},
      {Binary::div, 0, 0.5},
      {Binary::maximum, 0, 0},
      {Binary::minimum, 0, 0},
      {Binary::greater_share, 0, 0},
      {.op = Binary::pow, .a = 0, .ulps = 0.51, .cuda_ulps = 2, .positive = true},
      {Binary::prelu, 0, 0.5},
      {Binary::prelu_factor, 0, 0},
      {Binary::tanh_grad, 0, 8},
      {Binary::sigmoid_grad, 0, 2},
      {Binary::relu_grad, 0, 0},
      {Binary::leaky_relu_grad, 0.2, 1},
      {Binary::abs_grad, 0, 0},
      {.op = Binary::clamp_grad, .a = 0.25, .ulps = 0, .b = 0.75},
      {.op = Binary::gelu_grad, .a = 0, .ulps = 4, .cuda_ulps = 8},
      {.op = Binary::gelu_tanh_grad, .a = 0, .ulps = 5, .cuda_ulps = 8},
      {.op = Binary::silu_grad, .a = 0, .ulps = 5, .cuda_ulps = 8},
      {Binary::prelu_slope_grad, 0, 0.5},
  };
}

// Shapes of a pair to broadcast, or equal ones.
struct BroadcastCase {
  Shape a, b;
};

inline std::vector<BroadcastCase> broadcast_cases() {
  return {
      {{}, {}},
      {{1}, {}},
      {{7}, {7}},
      {{3, 5, 7, 11}, {3, 5, 7, 11}},
      {{65537}, {65537}},  // more than one grain, and a tail
      {{70001}, {}},       // a scalar with many
      {{}, {70001}},
      {{67, 13, 5, 3}, {3}},  // per channel, narrow
      {{1}, {31, 2, 1}},
      {{17, 64}, {64}},  // per channel
      {{64}, {601, 64}},
      {{3, 2, 40000}, {40000}},      // per channel, wider than a grain
      {{2, 9, 7, 5}, {2, 1, 1, 5}},  // per image and channel
      {{2, 1, 1, 5}, {2, 9, 7, 5}},
      {{4, 6, 3, 5}, {4, 1, 1, 1}},  // per image
      {{4, 6, 3, 1}, {4, 6, 3, 5}},  // per pixel
      {{5, 1, 3, 1}, {1, 4, 1, 6}},  // both repeat
      {{2, 3, 1, 5}, {2, 1, 7, 1}},
      {{6, 1}, {1, 35001}},          // an outer product of long rows
      {{3, 2, 1031}, {3, 2, 1}},     // long rows with a number each
      {{3, 1, 1100}, {1, 5, 1100}},  // long rows, both repeat around them
      {{2, 700, 1}, {2, 700, 3}},    // per pixel, more than a stretch
      {{3, 7, 1}, {3, 7, 40}},       // per pixel, many channels
      {{2, 1100, 37}, {2, 1100, 1}},
      {{2, 1, 5, 33}, {1, 3, 5, 1}},  // and both repeat around them
      {{0, 3}, {3}},                  // nothing at all
      {{2, 0, 3}, {1, 1, 3}},
  };
}

}  // namespace imago::kernels
