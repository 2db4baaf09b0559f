// The classifier of seed 003 (three convolutions, poolings, two linear layers), to load weights of
// PyTorch into: its Linear after Flatten is the one whose columns must be reordered.
#pragma once

#include "autograd/ops/max_pool2d.h"
#include "nn/layers.h"

namespace imago::test {

// The largest of each 2 x 2; the last odd row and column are left out.
class Pool final : public nn::Module {
 public:
  Var forward(const Var& x) override { return ops::max_pool2d(x, {}); }
};

// Images (N, 64, 64, 3) -> logits (N, 1).
inline nn::Sequential seed_cnn() {
  nn::Sequential net;
  int in = 3;
  for (const int out : {32, 64, 128}) {
    net.add(nn::Conv2d({.in = in, .out = out, .kernel = 3})).add(nn::ReLU()).add(Pool());
    in = out;
  }
  net.add(nn::Flatten());
  net.add(nn::Linear({.in = 6 * 6 * 128, .out = 128})).add(nn::ReLU());
  net.add(nn::Linear({.in = 128, .out = 1}));
  return net;
}

}  // namespace imago::test
