// Optimisers. nn/optimizer.h says what all of them can do, nn/schedule.h how learning rates change,
// nn/clip_grad.h how gradients are kept within bounds.
//
//   optim::AdamW opt(net.parameters(), {.lr = 3e-4, .weight_decay = 0.05});
//   opt.add_group(head.parameters(), {.lr = 1e-3});
#pragma once

#include <vector>

#include "nn/optimizer.h"

namespace imago::optim {

struct SgdOptions {
  double lr = 1e-2;
  double momentum = 0;
  double dampening = 0;  // of the gradient that momentum takes up, after the first step
  bool nesterov = false;
  double weight_decay = 0;  // L2: weight_decay * p is added to the gradient
};

// Stochastic gradient descent; kernels/optimizer/sgd.h has the formula. Keeps "momentum" where
// there is one.
class SGD final : public Optimizer {
 public:
  // Leaves of f32 or f64 on one device; no two may share memory. Their order, shapes, dtypes and
  // device are fixed from here on: move a module before its optimiser is made. The same of all.
  explicit SGD(Vars parameters, const SgdOptions& options = {});
  void add_group(Vars parameters, const SgdOptions& options);
  // As they were given; lr() is the rate now.
  const SgdOptions& options(std::size_t group = 0) const { return options_.at(group); }

 protected:
  std::vector<double> slots(std::size_t group, double lr, std::int64_t t) const override;
  void update(std::size_t group, BatchTensors& tensors, const Tensor& slots) override;

 private:
  std::vector<SgdOptions> options_;
};

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;  // L2: weight_decay * p is added to the gradient
};

// Adam (Kingma & Ba 2015, arXiv 1412.6980); kernels/optimizer/adam.h has the formula. Keeps the
// moments "m" and "v".
class Adam final : public Optimizer {
 public:
  explicit Adam(Vars parameters, const AdamOptions& options = {});
  void add_group(Vars parameters, const AdamOptions& options);
  const AdamOptions& options(std::size_t group = 0) const { return options_.at(group); }

 protected:
  std::vector<double> slots(std::size_t group, double lr, std::int64_t t) const override;
  void update(std::size_t group, BatchTensors& tensors, const Tensor& slots) override;

 private:
  std::vector<AdamOptions> options_;
};

struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 1e-2;  // decoupled: p shrinks by lr * weight_decay of itself
};

// Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv 1711.05101): the decay is not
// divided by the root of the second moment. Keeps "m" and "v".
class AdamW final : public Optimizer {
 public:
  explicit AdamW(Vars parameters, const AdamWOptions& options = {});
  void add_group(Vars parameters, const AdamWOptions& options);
  const AdamWOptions& options(std::size_t group = 0) const { return options_.at(group); }

 protected:
  std::vector<double> slots(std::size_t group, double lr, std::int64_t t) const override;
  void update(std::size_t group, BatchTensors& tensors, const Tensor& slots) override;

 private:
  std::vector<AdamWOptions> options_;
};

struct RmspropOptions {
  double lr = 1e-2;
  double alpha = 0.99;
  double eps = 1e-8;
  double momentum = 0;
  bool centered = false;    // divides by the standard deviation of the gradient, not by its root
                            // mean square
  double weight_decay = 0;  // L2: weight_decay * p is added to the gradient
};

// RMSprop (Hinton 2012), the optimiser of the original WGAN; kernels/optimizer/rmsprop.h has the
// formula. Keeps "square", "mean" if centered, and "momentum" where there is one.
class RMSprop final : public Optimizer {
 public:
  explicit RMSprop(Vars parameters, const RmspropOptions& options = {});
  void add_group(Vars parameters, const RmspropOptions& options);
  const RmspropOptions& options(std::size_t group = 0) const { return options_.at(group); }

 protected:
  std::vector<double> slots(std::size_t group, double lr, std::int64_t t) const override;
  void update(std::size_t group, BatchTensors& tensors, const Tensor& slots) override;

 private:
  std::vector<RmspropOptions> options_;
};

}  // namespace imago::optim
