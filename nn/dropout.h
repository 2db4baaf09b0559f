#pragma once

#include "autograd/ops/dropout.h"
#include "nn/module.h"

namespace imago::nn {

struct DropoutOptions {
  double p = 0.5;  // probability that an element is dropped, in [0, 1)
};

// Inverted dropout (Srivastava et al. 2014): in training mode each element is 0 with probability p
// and else x / (1 - p); in evaluation mode x itself. Each forward takes the next draw
// number of the Context's generator.
class Dropout final : public Module {
 public:
  explicit Dropout(const DropoutOptions& options = {}) : p_(options.p) {
    check(0 <= p_ && p_ < 1, "Dropout", "p must be in [0, 1), not ", p_);
  }
  Var forward(const Var& x) override {
    if (!training()) return x;
    return ops::dropout(x, p_, Context::current().generator.next());
  }

 private:
  double p_;
};

}  // namespace imago::nn
