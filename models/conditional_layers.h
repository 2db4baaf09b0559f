// Layers that are told the class of each image: a one-in-K choice such as who somebody is, or
// whether they wear glasses.
#pragma once

#include <memory>
#include <optional>

#include "nn/batch_norm2d.h"
#include "nn/module.h"
#include "nn/spectral_norm.h"

namespace imago::models {

// A layer of images and classes. Call it as layer(x, labels), labels (N) of i64 in [0, K) on the
// device of x, one for each row of the batch: hooks, errors and profiles see it as any other layer.
// A label out of range throws on the CPU and gives NaN on CUDA.
class ConditionalModule : public nn::Module {
 public:
  Var operator()(const Var& x, const Tensor& labels);
  // What the layer computes; checked arguments.
  virtual Var compute(const Var& x, const Tensor& labels) = 0;
  // Throws: without labels there is nothing to compute.
  Var forward(const Var& x) final;

 protected:
  ConditionalModule() = default;
  ConditionalModule(ConditionalModule&&) = default;
  ConditionalModule& operator=(ConditionalModule&&) = default;
};

// Throws unless labels is (count) of i64.
void require_labels(const char* op, const Tensor& labels, std::int64_t count);

struct ConditionalBatchNormOptions {
  int channels = 0;
  int classes = 0;
};

// Class-conditional batch norm (Dumoulin et al. 2017, arXiv 1610.07629; in GANs Miyato & Koyama
// 2018, arXiv 1802.05637): x (N, ..., C) -> norm(x) (1 + gain[label]) + bias[label]. `norm` is an
// ordinary batch norm, whose scale and shift all classes share and learn from all images; gain and
// bias (classes, C) are what a class adds. They start as N(0, 0.1): classes that start alike are
// drawn alike until D has learnt to tell them apart, which small networks may then never do.
class ConditionalBatchNorm2d final : public ConditionalModule {
 public:
  explicit ConditionalBatchNorm2d(const ConditionalBatchNormOptions& options);
  Var compute(const Var& x, const Tensor& labels) override;

 private:
  std::shared_ptr<nn::BatchNorm2d> norm_;
  Var gain_, bias_;
};

// The up block of models/resnet_gan.h with two conditional batch norms:
// x (N, H, W, in) -> (N, 2 H, 2 W, out). Children norm1, conv1, norm2, conv2, shortcut.
struct ConditionalUpBlockOptions {
  int in = 0;
  int out = 0;
  int classes = 0;
};

class ConditionalUpBlock final : public ConditionalModule {
 public:
  explicit ConditionalUpBlock(const ConditionalUpBlockOptions& options);
  Var compute(const Var& x, const Tensor& labels) override;

 private:
  std::shared_ptr<ConditionalBatchNorm2d> norm1_, norm2_;
  std::shared_ptr<nn::Module> conv1_, conv2_, shortcut_;
};

struct SpectralEmbeddingOptions {
  int count = 0;  // how many classes
  int width = 0;
};

// An Embedding whose table has spectral norm: labels (N) -> (N, width). "weight_orig" (count,
// width) starts N(0, 1); "weight_u" (count) and "weight_v" (width) are as of nn/spectral_norm.h.
class SpectralEmbedding final : public nn::Module {
 public:
  explicit SpectralEmbedding(const SpectralEmbeddingOptions& options);
  Var forward(const Var& labels) override;

 private:
  SpectralEmbeddingOptions options_;
  std::optional<nn::SpectralNorm> table_;
};

}  // namespace imago::models
