#include "autograd/ops/global_avg_pool2d.h"

#include "autograd/ops/scale.h"
#include "autograd/ops/sum_to.h"
#include "kernels/images.h"

namespace imago::ops {

Var global_avg_pool2d(const Var& x) {
  kernels::require_floating_images("global_avg_pool2d", "x", x.tensor());
  const auto pixels = static_cast<double>(x.size(1) * x.size(2));
  return scale(sum_to(x, Shape{x.size(0), 1, 1, x.size(3)}), 1.0 / pixels);
}

}  // namespace imago::ops
