#include "autograd/ops/global_max_pool2d.h"

#include "autograd/ops/max.h"
#include "kernels/images.h"

namespace imago::ops {

Var global_max_pool2d(const Var& x) {
  kernels::require_floating_images("global_max_pool2d", "x", x.tensor());
  return max(x, {1, 2}, true);
}

}  // namespace imago::ops
