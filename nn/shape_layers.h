// Layers that only look at the same elements under another shape.
#pragma once

#include "autograd/ops/reshape.h"
#include "nn/module.h"

namespace imago::nn {

// x (N, ...) -> (N, rest). Images are flattened in the order H, W, C.
class Flatten final : public Module {
 public:
  Var forward(const Var& x) override {
    check(x.dim() >= 1, "Flatten", "needs a batch, but the input is a scalar");
    std::int64_t rest = 1;
    for (int i = 1; i < x.dim(); ++i) rest *= x.size(i);
    return ops::reshape(x, {x.size(0), rest});
  }
};

struct ReshapeOptions {
  int h = 0;
  int w = 0;
  int c = 0;
};

// x (N, ...) -> (N, h, w, c).
class Reshape final : public Module {
 public:
  explicit Reshape(const ReshapeOptions& options) : options_(options) {
    check(options.h > 0 && options.w > 0 && options.c > 0, "Reshape",
          "h, w and c must be positive, not ", options.h, ", ", options.w, ", ", options.c);
  }
  Var forward(const Var& x) override {
    const Shape shape{x.dim() ? x.size(0) : 1, options_.h, options_.w, options_.c};
    check(shape.numel() == x.numel(), "Reshape", "expects ", options_.h, " x ", options_.w, " x ",
          options_.c, " values for each of the batch, but the input is ", x.shape());
    return ops::reshape(x, shape);
  }

 private:
  ReshapeOptions options_;
};

}  // namespace imago::nn
