// Functions of each element by itself, and softmax with its logarithm, as layers. All keep the
// shape of x; kernels/elementwise/elementwise.h and kernels/softmax/softmax.h have the formulas.
#pragma once

#include <limits>

#include "autograd/ops/clamp.h"
#include "autograd/ops/gelu.h"
#include "autograd/ops/leaky_relu.h"
#include "autograd/ops/log_softmax.h"
#include "autograd/ops/relu.h"
#include "autograd/ops/sigmoid.h"
#include "autograd/ops/silu.h"
#include "autograd/ops/softmax.h"
#include "autograd/ops/softplus.h"
#include "autograd/ops/tanh.h"
#include "nn/module.h"

namespace imago::nn {

// As an option of a layer that ends in one.
enum class Activation { none, relu, leaky_relu, tanh, sigmoid, gelu, silu };

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
    case Activation::gelu:
      return ops::gelu(x);
    case Activation::silu:
      return ops::silu(x);
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

struct GELUOptions {
  ops::Gelu form = ops::Gelu::erf;  // or tanh, an approximation
};

// x Phi(x), Phi the distribution function of the standard normal (arXiv 1606.08415).
class GELU final : public Module {
 public:
  explicit GELU(const GELUOptions& options = {}) : form_(options.form) {}
  Var forward(const Var& x) override { return ops::gelu(x, form_); }

 private:
  ops::Gelu form_;
};

// x s(x), s the sigmoid; also called swish.
class SiLU final : public Module {
 public:
  Var forward(const Var& x) override { return ops::silu(x); }
};

// log(1 + e^x).
class Softplus final : public Module {
 public:
  Var forward(const Var& x) override { return ops::softplus(x); }
};

struct ClampOptions {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

// x, or the bound that it is beyond; ReLU6 is Clamp({.low = 0, .high = 6}). The gradient passes
// where low <= x <= high.
class Clamp final : public Module {
 public:
  explicit Clamp(const ClampOptions& options) : options_(options) {
    check(options.low <= options.high, "Clamp", "low must not be above high, but they are ",
          options.low, " and ", options.high);
  }
  Var forward(const Var& x) override {
    return ops::clamp(x, {.low = options_.low, .high = options_.high});
  }

 private:
  ClampOptions options_;
};

struct SoftmaxOptions {
  int axis = -1;  // negative ones count from the innermost: -1 are the channels
};

// e^x / sum e^x along an axis. A loss of classes wants the scores before it: loss::cross_entropy.
class Softmax final : public Module {
 public:
  explicit Softmax(const SoftmaxOptions& options = {}) : axis_(options.axis) {}
  Var forward(const Var& x) override { return ops::softmax(x, axis_); }

 private:
  int axis_;
};

struct LogSoftmaxOptions {
  int axis = -1;  // as of Softmax
};

// x - log sum e^x along an axis: the logarithm of Softmax, finite where that one rounds to 0.
class LogSoftmax final : public Module {
 public:
  explicit LogSoftmax(const LogSoftmaxOptions& options = {}) : axis_(options.axis) {}
  Var forward(const Var& x) override { return ops::log_softmax(x, axis_); }

 private:
  int axis_;
};

}  // namespace imago::nn
