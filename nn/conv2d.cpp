#include "nn/conv2d.h"

#include "autograd/ops/conv2d.h"

namespace imago::nn {

Conv2d::Conv2d(const Conv2dOptions& options)
    : ConvLayer("Conv2d", options, /*transposed=*/false), options_(options) {}

Var Conv2d::forward(const Var& x) {
  check_input("Conv2d", x, options_.in);
  return plus_bias(ops::conv2d(x, effective_weight(), params_));
}

}  // namespace imago::nn
