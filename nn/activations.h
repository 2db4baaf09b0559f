// Functions of each element by itself, as layers.
#pragma once

#include "autograd/ops/leaky_relu.h"
#include "autograd/ops/relu.h"
#include "autograd/ops/sigmoid.h"
#include "autograd/ops/tanh.h"
#include "nn/module.h"

namespace imago::nn {

// As an option of a layer that ends in one.
enum class Activation { none, relu, leaky_relu, tanh, sigmoid };

// The slope counts for leaky_relu only.
inline Var activate(const Var& x, Activation activation, double slope) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return ops::relu(x);
    case Activation::leaky_relu:
      return ops::leaky_relu(x, slope);
    case Activation::tanh:
      return ops::tanh(x);
    case Activation::sigmoid:
      return ops::sigmoid(x);
  }
  fail("activate", "there is no activation ", static_cast<int>(activation));
}

class ReLU final : public Module {
 public:
  Var forward(const Var& x) override { return ops::relu(x); }
};

struct LeakyReLUOptions {
  double slope = 0.01;  // 0.2 in DCGAN
};

class LeakyReLU final : public Module {
 public:
  explicit LeakyReLU(const LeakyReLUOptions& options = {}) : slope_(options.slope) {}
  Var forward(const Var& x) override { return ops::leaky_relu(x, slope_); }

 private:
  double slope_;
};

class Tanh final : public Module {
 public:
  Var forward(const Var& x) override { return ops::tanh(x); }
};

class Sigmoid final : public Module {
 public:
  Var forward(const Var& x) override { return ops::sigmoid(x); }
};

}  // namespace imago::nn
