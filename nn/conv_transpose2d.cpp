#include "nn/conv_transpose2d.h"

#include "autograd/ops/conv2d_input_grad.h"

namespace imago::nn {

ConvTranspose2d::ConvTranspose2d(const ConvTranspose2dOptions& o)
    : ConvLayer("ConvTranspose2d",
                {.in = o.in,
                 .out = o.out,
                 .kernel = o.kernel,
                 .stride = o.stride,
                 .padding = o.padding,
                 .dilation = o.dilation,
                 .groups = o.groups,
                 .bias = o.bias,
                 .spectral_norm = o.spectral_norm},
                /*transposed=*/true),
      options_(o) {
  check(0 <= o.output_padding && o.output_padding < o.stride, "ConvTranspose2d",
        "output_padding must be less than the stride ", o.stride, ", not ", o.output_padding);
}

Var ConvTranspose2d::forward(const Var& x) {
  const auto& o = options_;
  check_input("ConvTranspose2d", x, o.in);
  const Padding& pad = o.padding;
  const std::int64_t height = kernels::conv_transpose_output_extent(
      x.size(1), o.kernel, o.stride, pad.top, pad.bottom, o.dilation, o.output_padding);
  const std::int64_t width = kernels::conv_transpose_output_extent(
      x.size(2), o.kernel, o.stride, pad.left, pad.right, o.dilation, o.output_padding);
  return plus_bias(ops::conv2d_input_grad(x, effective_weight(), height, width, params_));
}

}  // namespace imago::nn
