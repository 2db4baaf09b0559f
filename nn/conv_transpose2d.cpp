#include "nn/conv_transpose2d.h"

#include "autograd/ops/add.h"
#include "autograd/ops/conv2d_input_grad.h"
#include "nn/init.h"

namespace imago::nn {

ConvTranspose2d::ConvTranspose2d(const ConvTranspose2dOptions& o)
    : options_(o),
      params_{.stride_h = o.stride,
              .stride_w = o.stride,
              .pad = o.padding,
              .dilation_h = o.dilation,
              .dilation_w = o.dilation,
              .groups = o.groups} {
  check(o.in > 0 && o.out > 0 && o.kernel > 0 && o.stride > 0 && o.dilation > 0, "ConvTranspose2d",
        "in, out, kernel, stride and dilation must be positive, not ", o.in, ", ", o.out, ", ",
        o.kernel, ", ", o.stride, ", ", o.dilation);
  check(o.groups > 0 && o.in % o.groups == 0 && o.out % o.groups == 0, "ConvTranspose2d", o.groups,
        " groups must divide in = ", o.in, " and out = ", o.out);
  check(0 <= o.output_padding && o.output_padding < o.stride, "ConvTranspose2d",
        "output_padding must be less than the stride ", o.stride, ", not ", o.output_padding);
  const std::int64_t fan_in = std::int64_t{o.kernel} * o.kernel * (o.out / o.groups);
  weight_ = add_parameter("weight",
                          default_uniform({o.in, o.kernel, o.kernel, o.out / o.groups}, fan_in));
  if (o.bias) bias_ = add_parameter("bias", default_uniform({o.out}, fan_in));
}

Var ConvTranspose2d::forward(const Var& x) {
  const auto& o = options_;
  check(x.dim() == 4 && x.size(3) == o.in, "ConvTranspose2d", "expects (N, H, W, ", o.in,
        ") but the input is ", x.shape(), "; images are NHWC, channels last");
  const Padding& pad = o.padding;
  const std::int64_t height = kernels::conv_transpose_output_extent(
      x.size(1), o.kernel, o.stride, pad.top, pad.bottom, o.dilation, o.output_padding);
  const std::int64_t width = kernels::conv_transpose_output_extent(
      x.size(2), o.kernel, o.stride, pad.left, pad.right, o.dilation, o.output_padding);
  const Var y = ops::conv2d_input_grad(x, weight_, height, width, params_);
  return bias_ ? ops::add(y, bias_) : y;
}

}  // namespace imago::nn
