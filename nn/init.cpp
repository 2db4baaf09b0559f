#include "nn/init.h"

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/elementwise/elementwise.h"
#include "kernels/parallel.h"
#include "kernels/random/random.h"
#include "nn/batch_norm2d.h"
#include "nn/conv2d.h"
#include "nn/conv_transpose2d.h"
#include "nn/group_norm.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"

namespace imago::nn {
namespace {

// factor * draw + offset.
Tensor affine(const Tensor& draw, double factor, double offset) {
  const Tensor scaled = kernels::scale(draw, factor);
  return offset == 0 ? scaled : kernels::add_scalar(scaled, offset);
}

void overwrite(const Var& x, const Tensor& values) {
  Tensor target = x.tensor();
  target.copy_from(kernels::cast(values, target.dtype()).to(target.device()));
}

void overwrite(const Var& x, double value) {
  if (!x) return;  // a layer without one
  Tensor target = x.tensor();
  kernels::fill(target, value);
}

// The weight and bias of a layer that has a kernel, and its fans over kernel^2.
struct Weights {
  Var weight, bias;
  std::int64_t fan_in = 0, fan_out = 0;
};

bool find_weights(Module& module, Weights& found) {
  if (const auto* linear = dynamic_cast<Linear*>(&module)) {
    const auto& o = linear->options();
    found = {linear->weight(), linear->bias(), o.in, o.out};
    return true;
  }
  if (const auto* conv = dynamic_cast<Conv2d*>(&module)) {
    const auto& o = conv->options();
    const std::int64_t taps = std::int64_t{o.kernel} * o.kernel;
    found = {conv->weight(), conv->bias(), taps * (o.in / o.groups), taps * (o.out / o.groups)};
    return true;
  }
  if (const auto* conv = dynamic_cast<ConvTranspose2d*>(&module)) {
    const auto& o = conv->options();
    const std::int64_t taps = std::int64_t{o.kernel} * o.kernel;
    found = {conv->weight(), conv->bias(), taps * (o.in / o.groups), taps * (o.out / o.groups)};
    return true;
  }
  return false;
}

// Makes a layer of one of these classes start as the identity; leaves all others alone.
template <class... Norm>
void reset_norm(Module& module) {
  const auto reset = [](const auto* norm) {
    if (!norm) return;
    overwrite(norm->weight(), 1);
    overwrite(norm->bias(), 0);
  };
  (reset(dynamic_cast<const Norm*>(&module)), ...);
}

// Calls f for each layer that has a kernel, whose bias becomes 0; norms become the identity.
void init_layers(Module& module, const std::function<void(const Weights&)>& f) {
  module.visit([&](const std::string&, Module& m) {
    Weights w;
    if (find_weights(m, w)) {
      f(w);
      overwrite(w.bias, 0);
    } else {
      reset_norm<BatchNorm2d, GroupNorm, InstanceNorm2d, LayerNorm>(m);
    }
  });
}

// Below this bound of a truncated normal, of whose draws 38% are within it, another method is used.
constexpr double narrow_bound = 0.5;

// Normals within +-bound <= narrow_bound, NaN where a new one must be drawn: uniforms x there, each
// kept with probability exp(-x^2 / 2), which is 0.88 or more however small the bound is.
Tensor narrow_normals(const Shape& shape, double bound) {
  const auto draw = [&] {
    const DrawKey key = Context::current().generator.next();
    return kernels::uniform(shape, DType::f32, key).to(Device::cpu());
  };
  Tensor values = draw();
  const Tensor chance = draw();
  float* p = values.mutable_data<float>();
  const float* c = chance.data<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    const double x = bound * (2.0 * p[i] - 1);
    p[i] = c[i] < std::exp(-x * x / 2) ? static_cast<float>(x)
                                       : std::numeric_limits<float>::quiet_NaN();
  }
  return values;
}

// The product of two vectors, in eight sums that do not wait for each other.
double dot(const double* a, const double* b, std::int64_t n) {
  double sum[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int l = 0; l < 8; ++l) sum[l] += a[i + l] * b[i + l];
  }
  for (; i < n; ++i) sum[0] += a[i] * b[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

// Makes the rows of q (rows, columns), rows <= columns, orthonormal: Gram-Schmidt, each row twice,
// after which nothing of the earlier ones is left but rounding (Giraud et al. 2005). What was drawn
// normal becomes uniform among such matrices, since the lengths that are divided by are positive:
// the sign that Householder's method leaves to chance (Mezzadri 2007, math-ph/0609050) is fixed.
void orthonormalize(double* q, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t grain = 256;  // columns
  std::vector<double> share(static_cast<std::size_t>(rows));
  for (std::int64_t r = 0; r < rows; ++r) {
    double* row = q + r * columns;
    for (int pass = 0; pass < 2; ++pass) {
      parallel_ranges(r, 4, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t k = begin; k < end; ++k) {
          share[static_cast<std::size_t>(k)] = dot(q + k * columns, row, columns);
        }
      });
      parallel_ranges(columns, grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t k = 0; k < r; ++k) {
          const double s = share[static_cast<std::size_t>(k)];
          const double* other = q + k * columns;
          for (std::int64_t j = begin; j < end; ++j) row[j] -= s * other[j];
        }
      });
    }
    const double length = std::sqrt(dot(row, row, columns));
    for (std::int64_t j = 0; j < columns; ++j) row[j] /= length;
  }
}

double kaiming_deviation(const Var& weight, const KaimingOptions& o) {
  const auto fan = static_cast<double>(fan_of(weight.shape(), o.fan));
  return std::sqrt(2 / ((1 + o.slope * o.slope) * fan));
}

double xavier_deviation(const Var& weight, double gain) {
  const std::int64_t fans = fan_of(weight.shape(), Fan::in) + fan_of(weight.shape(), Fan::out);
  return gain * std::sqrt(2 / static_cast<double>(fans));
}

// Uniform numbers in +-a have the deviation a / sqrt(3).
void fill_uniform_of_deviation(const Var& x, double deviation) {
  const double bound = std::sqrt(3.0) * deviation;
  fill_uniform(x, -bound, bound);
}

}  // namespace

Tensor default_uniform(const Shape& shape, std::int64_t fan_in) {
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  const DrawKey key = Context::current().generator.next();
  return affine(kernels::uniform(shape, DType::f32, key), 2 * bound, -bound);
}

void fill_normal(const Var& x, double mean, double deviation) {
  const DrawKey key = Context::current().generator.next();
  overwrite(x, affine(kernels::normal(x.shape(), DType::f32, key), deviation, mean));
}

void fill_uniform(const Var& x, double low, double high) {
  const DrawKey key = Context::current().generator.next();
  overwrite(x, affine(kernels::uniform(x.shape(), DType::f32, key), high - low, low));
}

void fill_truncated_normal(const Var& x, double mean, double deviation, double bound) {
  check(bound > 0, "fill_truncated_normal", "bound must be positive, not ", bound);
  const bool narrow = bound < narrow_bound;
  const auto draw = [&] {
    if (narrow) return narrow_normals(x.shape(), bound);
    const DrawKey key = Context::current().generator.next();
    return kernels::normal(x.shape(), DType::f32, key).to(Device::cpu());
  };
  Tensor values = draw();
  float* p = values.mutable_data<float>();
  // A whole draw at a time, so that an element's number depends on the draws and itself alone.
  for (bool outside = true; outside;) {
    outside = false;
    for (std::int64_t i = 0; i < values.numel(); ++i) {
      outside = outside || !(std::fabs(p[i]) <= static_cast<float>(bound));
    }
    if (!outside) break;
    const Tensor again = draw();
    for (std::int64_t i = 0; i < values.numel(); ++i) {
      if (!(std::fabs(p[i]) <= static_cast<float>(bound))) p[i] = again.data<float>()[i];
    }
  }
  overwrite(x, affine(values, deviation, mean));
}

std::int64_t fan_of(const Shape& weight, Fan fan) {
  check(weight.dim() >= 2, "fan_of", "a weight has at least two dimensions, but this is ", weight);
  const int last = weight.dim() - 1;
  std::int64_t taps = 1;
  for (int i = 1; i < last; ++i) taps *= weight[i];
  return taps * (fan == Fan::in ? weight[last] : weight[0]);
}

double gain_of(Activation activation, double slope) {
  switch (activation) {
    case Activation::relu:
      return std::sqrt(2.0);
    case Activation::leaky_relu:
      return std::sqrt(2 / (1 + slope * slope));
    case Activation::tanh:
      return 5.0 / 3;
    default:
      return 1;
  }
}

void kaiming_normal(const Var& weight, const KaimingOptions& options) {
  fill_normal(weight, 0, kaiming_deviation(weight, options));
}

void kaiming_uniform(const Var& weight, const KaimingOptions& options) {
  fill_uniform_of_deviation(weight, kaiming_deviation(weight, options));
}

void xavier_normal(const Var& weight, double gain) {
  fill_normal(weight, 0, xavier_deviation(weight, gain));
}

void xavier_uniform(const Var& weight, double gain) {
  fill_uniform_of_deviation(weight, xavier_deviation(weight, gain));
}

void orthogonal(const Var& weight, double gain) {
  check(weight.dim() >= 2, "orthogonal", "a weight has at least two dimensions, but this is ",
        weight.shape());
  if (weight.numel() == 0) return;
  const std::int64_t rows = weight.size(0), columns = weight.numel() / rows;
  const bool turned = rows > columns;  // then the columns are orthonormal
  const Shape flat = turned ? Shape{columns, rows} : Shape{rows, columns};
  const DrawKey key = Context::current().generator.next();
  Tensor q = kernels::cast(kernels::normal(flat, DType::f32, key).to(Device::cpu()), DType::f64);
  double* p = q.mutable_data<double>();
  orthonormalize(p, flat[0], flat[1]);
  Tensor values = Tensor::empty(weight.shape(), DType::f64, Device::cpu());
  double* to = values.mutable_data<double>();
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      to[i * columns + j] = gain * (turned ? p[j * rows + i] : p[i * columns + j]);
    }
  }
  overwrite(weight, values);
}

void init_weights(Module& module, const std::function<void(const Var&)>& f) {
  init_layers(module, [&f](const Weights& w) { f(w.weight); });
}

void init_dcgan(Module& module) {
  module.visit([](const std::string&, Module& m) {
    Weights w;
    if (find_weights(m, w)) {
      fill_normal(w.weight, 0, 0.02);
      overwrite(w.bias, 0);
    } else if (const auto* norm = dynamic_cast<BatchNorm2d*>(&m)) {
      fill_normal(norm->weight(), 1, 0.02);
      overwrite(norm->bias(), 0);
    } else {
      reset_norm<GroupNorm, InstanceNorm2d, LayerNorm>(m);
    }
  });
}

void init_glorot_uniform(Module& module) {
  // Not by xavier_uniform: the fans of a group cannot be seen in the shape of the weight.
  init_layers(module, [](const Weights& w) {
    const double bound = std::sqrt(6.0 / static_cast<double>(w.fan_in + w.fan_out));
    fill_uniform(w.weight, -bound, bound);
  });
}

}  // namespace imago::nn
