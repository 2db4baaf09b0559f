#include "autograd/ops/gelu_grad.h"

#include <numbers>

#include "autograd/composite.h"
#include "autograd/function.h"
#include "autograd/ops/add.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/exp.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/neg.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sigmoid.h"
#include "autograd/ops/sigmoid_grad.h"
#include "autograd/ops/square.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

// The gradient of the approximation x s(v), s the sigmoid and v = k (x + c x^3), from elementary
// operations: dy (s + x s (1 - s) v').
Vars by_tanh(const Vars& in) {
  constexpr double k = 1.5957691216057307117, c = 0.044715;  // 2 sqrt(2 / pi)
  const Var dy = in[0], x = in[1];
  const Var z = square(x);
  const Var s = sigmoid(scale(mul(x, add_scalar(scale(z, c), 1)), k));
  const Var dv = scale(add_scalar(scale(z, 3 * c), 1), k);
  return {mul(dy, add(s, mul(sigmoid_grad(x, s), dv)))};
}

// The slope Phi + x phi has the derivative phi (2 - x^2).
class GeluGradFunction final : public Function {
 public:
  explicit GeluGradFunction(Gelu form) : Function("gelu_grad"), form_(form) {}
  Vars backward(const Vars& g) override {
    const Var dy = saved(0), x = saved(1);
    if (form_ == Gelu::tanh && needs_grad(1)) {
      return composite_backward(by_tanh, {dy, x}, {needs_grad(0), needs_grad(1)}, g);
    }
    Var dx;
    if (needs_grad(1)) {
      const double density = std::numbers::inv_sqrtpi / std::numbers::sqrt2;  // at 0
      const Var z = square(x);
      const Var phi = scale(exp(scale(z, -0.5)), density);
      dx = mul(mul(mul(g[0], dy), phi), add_scalar(neg(z), 2));
    }
    return {needs_grad(0) ? gelu_grad(g[0], x, form_) : Var(), dx};
  }

 private:
  Gelu form_;
};

}  // namespace

Var gelu_grad(const Var& dy, const Var& x, Gelu form) {
  const auto node = record<GeluGradFunction>({dy, x}, form);
  if (node) {
    node->save(dy);
    node->save(x);
  }
  return attach(node, kernels::gelu_grad(dy.tensor(), x.tensor(), form));
}

}  // namespace imago::ops
