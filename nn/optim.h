// Optimisers.
#pragma once

#include <cstdint>
#include <vector>

#include "autograd/var.h"
#include "nn/named_tensors.h"

namespace imago::optim {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;  // L2: weight_decay * p is added to the gradient
};

// Adam (Kingma & Ba 2015, arXiv 1412.6980); kernels/adam/adam.h has the formula. Updates parameters
// in place, so they keep their addresses.
class Adam {
 public:
  // Leaves of f32 or f64 on one device; no two may share memory. Their number, order, shapes, dtypes
  // and device are fixed from here on: move a module before its optimiser is made.
  explicit Adam(Vars parameters, const AdamOptions& options = {});

  // One update from the accumulated gradients. A parameter without a gradient, or one that is
  // frozen now, is left alone together with its moments and its own count of steps.
  void step();
  // Drops the gradients.
  void zero_grad();

  void set_lr(double lr);
  double lr() const { return options_.lr; }
  const AdamOptions& options() const { return options_; }
  const Vars& parameters() const { return parameters_; }

  // By the position of the parameter: "m.0", "v.0", ... like the parameter, and "steps" i64 (number
  // of parameters), on the CPU, the updates each has had. Shares memory with the optimiser. The
  // learning rate is not part of it.
  NamedTensors state_dict() const;
  // Strict; copies in place.
  void load_state_dict(const NamedTensors& state);

 private:
  Vars parameters_;
  AdamOptions options_;
  std::vector<Tensor> m_, v_;
  Tensor steps_;  // (number of parameters), i64, on the CPU
  // (3), beside the parameters: lr and bias corrections of the current step. f64, though other step
  // values are f32: f64 parameters follow the f64 reference runs to about 1e-14 only with factors
  // of that precision (rounded to f32 they are off by 1e-8 after one step). The kernel rounds them
  // once for f32.
  Tensor scalars_;
};

}  // namespace imago::optim
