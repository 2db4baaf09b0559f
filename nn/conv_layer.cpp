#include "nn/conv_layer.h"

#include "autograd/ops/add.h"
#include "nn/init.h"

namespace imago::nn {

ConvLayer::ConvLayer(const char* layer, const Conv2dOptions& o, bool transposed)
    : params_{.stride_h = o.stride,
              .stride_w = o.stride,
              .pad = o.padding,
              .dilation_h = o.dilation,
              .dilation_w = o.dilation,
              .groups = o.groups} {
  check(o.in > 0 && o.out > 0 && o.kernel > 0 && o.stride > 0 && o.dilation > 0, layer,
        "in, out, kernel, stride and dilation must be positive, not ", o.in, ", ", o.out, ", ",
        o.kernel, ", ", o.stride, ", ", o.dilation);
  check(o.groups > 0 && o.in % o.groups == 0 && o.out % o.groups == 0, layer, o.groups,
        " groups must divide in = ", o.in, " and out = ", o.out);
  // A transposed convolution has the weight of the one from out to in channels.
  const int first = transposed ? o.in : o.out;
  const int last = (transposed ? o.out : o.in) / o.groups;
  const std::int64_t fan_in = std::int64_t{o.kernel} * o.kernel * last;
  const char* name = o.spectral_norm ? "weight_orig" : "weight";
  weight_ = add_parameter(name, default_uniform({first, o.kernel, o.kernel, last}, fan_in));
  if (o.bias) bias_ = add_parameter("bias", default_uniform({o.out}, fan_in));
  if (o.spectral_norm) {
    const Outputs outputs = transposed ? Outputs::last : Outputs::first;
    const auto [u, v] = SpectralNorm::start(weight_.tensor(), outputs);
    spectral_norm_.emplace(weight_, add_buffer("weight_u", u), add_buffer("weight_v", v), outputs);
  }
}

void ConvLayer::check_input(const char* layer, const Var& x, int in) {
  const bool fits = x.dim() == 4 && x.size(3) == in;
  const char* cause =
      x.dim() == 3 && x.size(2) == in
          ? "the batch dimension is missing: reshape an image of its own to (1, H, W, C)"
      : x.dim() == 4 && x.size(1) == in
          ? "it looks like NCHW: images are NHWC, channels last; permute it"
      : x.dim() == 2 ? "is a Reshape to images missing before it?"
      : x.dim() == 4 ? "images are NHWC, channels last; was the layer made for another number of "
                       "channels (grey 1, colour 3)?"
                     : "images are NHWC, channels last";
  check(fits, layer, "expects (N, H, W, ", in, ") but the input is ", x.shape(), "; ", cause);
  check(is_floating(x.dtype()), layer, "expects floating-point images but the input is ", x.dtype(),
        x.dtype() == DType::u8 ? "; bytes become numbers in [-1, 1] by kernels::normalize_u8"
                               : "; cast it");
}

Var ConvLayer::effective_weight() const {
  return spectral_norm_ ? (*spectral_norm_)(training()) : weight_;
}

Var ConvLayer::plus_bias(const Var& y) const {
  return bias_ ? ops::add(y, bias_) : y;
}

}  // namespace imago::nn
