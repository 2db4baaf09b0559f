#include "nn/init.h"

#include <cmath>

#include "kernels/elementwise/elementwise.h"
#include "kernels/random/random.h"
#include "nn/batch_norm2d.h"
#include "nn/conv2d.h"
#include "nn/conv_transpose2d.h"
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
  if (!x) return;  // a layer without bias
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

void init_dcgan(Module& module) {
  module.visit([](const std::string&, Module& m) {
    Weights w;
    if (find_weights(m, w)) {
      fill_normal(w.weight, 0, 0.02);
      overwrite(w.bias, 0);
    } else if (const auto* norm = dynamic_cast<BatchNorm2d*>(&m)) {
      fill_normal(norm->weight(), 1, 0.02);
      overwrite(norm->bias(), 0);
    }
  });
}

void init_glorot_uniform(Module& module) {
  module.visit([](const std::string&, Module& m) {
    Weights w;
    if (find_weights(m, w)) {
      const double bound = std::sqrt(6.0 / static_cast<double>(w.fan_in + w.fan_out));
      fill_uniform(w.weight, -bound, bound);
      overwrite(w.bias, 0);
    } else if (const auto* norm = dynamic_cast<BatchNorm2d*>(&m)) {
      overwrite(norm->weight(), 1);
      overwrite(norm->bias(), 0);
    }
  });
}

}  // namespace imago::nn
