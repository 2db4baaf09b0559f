#include "nn/init.h"

#include <cmath>

#include "kernels/elementwise/elementwise.h"
#include "kernels/random/random.h"

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

}  // namespace imago::nn
