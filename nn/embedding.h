#pragma once

#include "nn/module.h"

namespace imago::nn {

struct EmbeddingOptions {
  int count = 0;  // how many things there are: indices are in [0, count)
  int width = 0;  // how many numbers stand for each
};

// A learned vector for each of `count` things (classes, identities): indices (...) of i64 ->
// (..., width). weight (count, width) starts N(0, 1), as in PyTorch. An index out of range throws
// on the CPU and gives NaN on CUDA.
class Embedding final : public Module {
 public:
  explicit Embedding(const EmbeddingOptions& options);
  Var forward(const Var& indices) override;

  const EmbeddingOptions& options() const { return options_; }
  const Var& weight() const { return weight_; }

 private:
  EmbeddingOptions options_;
  Var weight_;
};

}  // namespace imago::nn
