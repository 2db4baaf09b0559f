#include "nn/pooling.h"

#include "autograd/ops/avg_pool2d.h"
#include "autograd/ops/global_avg_pool2d.h"
#include "autograd/ops/global_max_pool2d.h"
#include "autograd/ops/max_pool2d.h"
#include "nn/require_images.h"

namespace imago::nn {
namespace {

Pool2dParams windows(const char* layer, int kernel, int stride, const Padding& padding,
                     int dilation, bool count_include_pad) {
  check(kernel > 0 && stride >= 0 && dilation > 0, layer,
        "kernel and dilation must be positive and stride 0 (the kernel) or more, not ", kernel,
        ", ", dilation, " and ", stride);
  const int step = stride ? stride : kernel;
  return {.kernel_h = kernel,
          .kernel_w = kernel,
          .stride_h = step,
          .stride_w = step,
          .pad = padding,
          .dilation_h = dilation,
          .dilation_w = dilation,
          .count_include_pad = count_include_pad};
}

}  // namespace

MaxPool2d::MaxPool2d(const MaxPool2dOptions& o)
    : params_(windows("MaxPool2d", o.kernel, o.stride, o.padding, o.dilation, true)) {}

Var MaxPool2d::forward(const Var& x) {
  require_images("MaxPool2d", x);
  return ops::max_pool2d(x, params_);
}

AvgPool2d::AvgPool2d(const AvgPool2dOptions& o)
    : params_(windows("AvgPool2d", o.kernel, o.stride, o.padding, 1, o.count_include_pad)) {}

Var AvgPool2d::forward(const Var& x) {
  require_images("AvgPool2d", x);
  return ops::avg_pool2d(x, params_);
}

Var GlobalAvgPool2d::forward(const Var& x) {
  require_images("GlobalAvgPool2d", x);
  return ops::global_avg_pool2d(x);
}

Var GlobalMaxPool2d::forward(const Var& x) {
  require_images("GlobalMaxPool2d", x);
  return ops::global_max_pool2d(x);
}

}  // namespace imago::nn
