#include "models/conditional_gan.h"

#include "autograd/ops/add.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/sum_to.h"
#include "autograd/ops/tanh.h"
#include "nn/init.h"
#include "tensor/layer_scope.h"

namespace imago::models {
namespace {

constexpr int smallest_map = 4;
constexpr int channels = 3;

ResnetGanOptions resnet_options(const ConditionalGanSpec& spec) {
  const ResnetGanOptions o{
      .z = spec.z, .base = spec.base, .image = spec.image, .channels = channels};
  resnet_doublings("conditional_gan", o);
  check(spec.classes > 0, "conditional_gan", "there must be classes, not ", spec.classes);
  return o;
}

}  // namespace

const char* name_of(Conditioning conditioning) {
  return conditioning == Conditioning::acgan ? "acgan" : "projection";
}

Conditioning conditioning_named(const std::string& name) {
  for (const Conditioning c : {Conditioning::projection, Conditioning::acgan}) {
    if (name == name_of(c)) return c;
  }
  fail("conditional_gan", "conditioning is projection or acgan, not '", name, "'");
}

ConditionalGenerator::ConditionalGenerator(const ConditionalGanSpec& spec) {
  const ResnetGanOptions o = resnet_options(spec);
  const int ups = resnet_doublings("conditional_gan", o);
  width_ = resnet_width(o);
  linear_ =
      add_child("linear", nn::Linear({.in = o.z, .out = smallest_map * smallest_map * width_}));
  nn::init_weights(*linear_, [](const Var& weight) { nn::xavier_uniform(weight); });
  int width = width_;
  for (int i = 0; i < ups; ++i) {
    const int out = o.base << (ups - 1 - i);
    blocks_.push_back(
        add_child("blocks." + std::to_string(i),
                  ConditionalUpBlock({.in = width, .out = out, .classes = spec.classes})));
    width = out;
  }
  norm_ = add_child("norm", nn::BatchNorm2d({.channels = width}));
  conv_ = add_child(
      "conv",
      nn::Conv2d({.in = width, .out = o.channels, .kernel = 3, .padding = Padding::same(1)}));
  nn::init_weights(*conv_, [](const Var& weight) { nn::xavier_uniform(weight); });
}

Var ConditionalGenerator::compute(const Var& z, const Tensor& labels) {
  Var x = ops::reshape((*linear_)(z), {z.size(0), smallest_map, smallest_map, width_});
  for (const auto& block : blocks_) x = (*block)(x, labels);
  return ops::tanh((*conv_)(norm_->forward_lrelu(x, 0)));
}

ConditionalDiscriminator::ConditionalDiscriminator(const ConditionalGanSpec& spec) {
  const ResnetGanOptions o = resnet_options(spec);
  const int width = resnet_width(o);
  features_ = add_child("features", resnet_features(o));
  linear_ = add_child("linear", nn::Linear({.in = width, .out = 1, .spectral_norm = true}));
  if (spec.conditioning == Conditioning::projection) {
    embedding_ = add_child("embedding", SpectralEmbedding({.count = spec.classes, .width = width}));
  } else {
    classifier_ = add_child("classifier", nn::Linear({.in = width, .out = spec.classes}));
  }
}

ConditionalScores ConditionalDiscriminator::scores(const Var& x, const Tensor& labels) {
  const LayerScope scope(name());
  check(x.dim() == 4, "conditional", "D expects images (N, H, W, 3), not ", x.shape());
  require_labels("conditional", labels, x.size(0));
  const ConditionalScores scores = judge(x, labels);
  run_forward_hooks(x, scores.logits);
  return scores;
}

ConditionalScores ConditionalDiscriminator::judge(const Var& x, const Tensor& labels) {
  const Var features = (*features_)(x);
  ConditionalScores scores{.logits = (*linear_)(features), .classes = {}};
  if (embedding_) {
    const Var match = ops::mul((*embedding_)(labels), features);
    scores.logits = ops::add(scores.logits, ops::sum(match, {1}, true));
  } else {
    scores.classes = (*classifier_)(features);
  }
  return scores;
}

Var ConditionalDiscriminator::compute(const Var& x, const Tensor& labels) {
  return judge(x, labels).logits;
}

ConditionalGan make_conditional_gan(const ConditionalGanSpec& spec) {
  return {spec, ConditionalGenerator(spec), ConditionalDiscriminator(spec)};
}

}  // namespace imago::models
