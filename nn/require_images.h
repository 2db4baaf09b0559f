#pragma once

#include "autograd/var.h"

namespace imago::nn {

// Throws, naming the layer, unless x is (N, H, W, C).
inline void require_images(const char* layer, const Var& x) {
  check(x.dim() == 4, layer, "expects images (N, H, W, C) but the input is ", x.shape(),
        x.dim() == 3 ? "; is the batch dimension missing?" : "");
}

}  // namespace imago::nn
