// The classifier of seed 003 (three convolutions, poolings, two linear layers), to load weights of
// PyTorch into: its Linear after Flatten is the one whose columns must be reordered.
#pragma once

#include "nn/layers.h"

namespace imago::test {

// Images (N, 64, 64, 3) -> logits (N, 1). A pooling leaves out the last odd row and column.
inline nn::Sequential seed_cnn() {
  nn::Sequential net;
  int in = 3;
  for (const int out : {32, 64, 128}) {
    net.add(nn::Conv2d({.in = in, .out = out, .kernel = 3})).add(nn::ReLU()).add(nn::MaxPool2d());
    in = out;
  }
  net.add(nn::Flatten());
  net.add(nn::Linear({.in = 6 * 6 * 128, .out = 128})).add(nn::ReLU());
  net.add(nn::Linear({.in = 128, .out = 1}));
  return net;
}

}  // namespace imago::test
