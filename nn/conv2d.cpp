#include "nn/conv2d.h"

#include "autograd/ops/add.h"
#include "autograd/ops/conv2d.h"
#include "nn/init.h"

namespace imago::nn {

Conv2d::Conv2d(const Conv2dOptions& o)
    : options_(o),
      params_{.stride_h = o.stride,
              .stride_w = o.stride,
              .pad = o.padding,
              .dilation_h = o.dilation,
              .dilation_w = o.dilation,
              .groups = o.groups} {
  check(o.in > 0 && o.out > 0 && o.kernel > 0 && o.stride > 0 && o.dilation > 0, "Conv2d",
        "in, out, kernel, stride and dilation must be positive, not ", o.in, ", ", o.out, ", ",
        o.kernel, ", ", o.stride, ", ", o.dilation);
  check(o.groups > 0 && o.in % o.groups == 0 && o.out % o.groups == 0, "Conv2d", o.groups,
        " groups must divide in = ", o.in, " and out = ", o.out);
  const std::int64_t fan_in = std::int64_t{o.kernel} * o.kernel * (o.in / o.groups);
  weight_ = add_parameter("weight",
                          default_uniform({o.out, o.kernel, o.kernel, o.in / o.groups}, fan_in));
  if (o.bias) bias_ = add_parameter("bias", default_uniform({o.out}, fan_in));
}

Var Conv2d::forward(const Var& x) {
  check(x.dim() == 4 && x.size(3) == options_.in, "Conv2d", "expects (N, H, W, ", options_.in,
        ") but the input is ", x.shape(), "; images are NHWC, channels last");
  const Var y = ops::conv2d(x, weight_, params_);
  return bias_ ? ops::add(y, bias_) : y;
}

}  // namespace imago::nn
