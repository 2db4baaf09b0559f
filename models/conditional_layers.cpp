#include "models/conditional_layers.h"

#include <cmath>

#include "autograd/ops/add.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/relu.h"
#include "autograd/ops/resample.h"
#include "autograd/ops/reshape.h"
#include "nn/conv2d.h"
#include "nn/init.h"
#include "tensor/layer_scope.h"

namespace imago::models {
namespace {

// Without a bias, which the batch norm after it would take away again.
nn::Conv2d convolution(int in, int out, int kernel, double gain) {
  nn::Conv2d conv({.in = in,
                   .out = out,
                   .kernel = kernel,
                   .padding = Padding::same(kernel / 2),
                   .bias = false});
  nn::xavier_uniform(conv.weight(), gain);
  return conv;
}

Var doubled(const Var& x) {
  return ops::resample(x, 2 * x.size(1), 2 * x.size(2), Filter::nearest);
}

}  // namespace

void require_labels(const char* op, const Tensor& labels, std::int64_t count) {
  check(labels.defined(), op, "expects a label for each of ", count, " images, but there are none");
  check(labels.dtype() == DType::i64 && labels.shape() == Shape{count}, op,
        "expects a label of i64 for each of ", count, " images, ", Shape{count}, ", not ",
        labels.dtype(), " ", labels.shape());
}

Var ConditionalModule::operator()(const Var& x, const Tensor& labels) {
  const LayerScope scope(name());
  check(x.dim() >= 1, "conditional", "expects a batch, but the input is a scalar");
  require_labels("conditional", labels, x.size(0));
  Var y = compute(x, labels);
  run_forward_hooks(x, y);
  return y;
}

Var ConditionalModule::forward(const Var&) {
  fail("conditional", type_name(), " needs the class of each image: call it as layer(x, labels)");
}

ConditionalBatchNorm2d::ConditionalBatchNorm2d(const ConditionalBatchNormOptions& o) {
  check(o.channels > 0 && o.classes > 0, "ConditionalBatchNorm2d",
        "channels and classes must be positive, not ", o.channels, " and ", o.classes);
  gain_ = add_parameter("gain", Tensor::empty({o.classes, o.channels}));
  bias_ = add_parameter("bias", Tensor::empty({o.classes, o.channels}));
  nn::fill_normal(gain_, 0, 0.1);
  nn::fill_normal(bias_, 0, 0.1);
  norm_ = add_child("norm", nn::BatchNorm2d({.channels = o.channels}));
}

Var ConditionalBatchNorm2d::compute(const Var& x, const Tensor& labels) {
  Shape row{x.size(0)};  // (N, 1, ..., 1, C)
  for (int i = 2; i < x.dim(); ++i) row.append(1);
  row.append(gain_.size(1));
  const Var gain = ops::reshape(ops::embedding(gain_, labels), row);
  const Var bias = ops::reshape(ops::embedding(bias_, labels), row);
  return ops::add(ops::mul((*norm_)(x), ops::add_scalar(gain, 1)), bias);
}

ConditionalUpBlock::ConditionalUpBlock(const ConditionalUpBlockOptions& o) {
  norm1_ = add_child("norm1", ConditionalBatchNorm2d({.channels = o.in, .classes = o.classes}));
  conv1_ = add_child("conv1", convolution(o.in, o.out, 3, std::sqrt(2.0)));
  norm2_ = add_child("norm2", ConditionalBatchNorm2d({.channels = o.out, .classes = o.classes}));
  conv2_ = add_child("conv2", convolution(o.out, o.out, 3, std::sqrt(2.0)));
  shortcut_ = add_child("shortcut", convolution(o.in, o.out, 1, 1));
}

Var ConditionalUpBlock::compute(const Var& x, const Tensor& labels) {
  Var y = (*conv1_)(doubled(ops::relu((*norm1_)(x, labels))));
  y = (*conv2_)(ops::relu((*norm2_)(y, labels)));
  return ops::add(y, doubled((*shortcut_)(x)));
}

SpectralEmbedding::SpectralEmbedding(const SpectralEmbeddingOptions& options) : options_(options) {
  check(options.count > 0 && options.width > 0, "SpectralEmbedding",
        "count and width must be positive, not ", options.count, " and ", options.width);
  const Var weight = add_parameter("weight_orig", Tensor::empty({options.count, options.width}));
  nn::fill_normal(weight, 0, 1);
  const auto [u, v] = nn::SpectralNorm::start(weight.tensor(), nn::Outputs::first);
  table_.emplace(weight, add_buffer("weight_u", u), add_buffer("weight_v", v), nn::Outputs::first);
}

Var SpectralEmbedding::forward(const Var& labels) {
  check(labels.dtype() == DType::i64, "SpectralEmbedding", "expects labels of i64 in [0, ",
        options_.count, "), not ", labels.dtype(), " ", labels.shape());
  return ops::embedding((*table_)(training()), labels.tensor());
}

}  // namespace imago::models
