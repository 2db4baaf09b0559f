#include "autograd/ops/pow.h"

#include "autograd/function.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/compare.h"
#include "autograd/ops/log.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sum_to.h"
#include "autograd/ops/where.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class PowFunction final : public Function {
 public:
  explicit PowFunction(double exponent) : Function("pow"), exponent_(exponent) {}
  Vars backward(const Vars& g) override {
    if (exponent_ == 0) {
      return {Var(kernels::full(g[0].shape(), 0, g[0].dtype(), g[0].device()))};
    }
    return {scale(mul(g[0], pow(saved(0), exponent_ - 1)), exponent_)};
  }

 private:
  double exponent_;
};

// With y = a^b: dy/da = b a^(b - 1) and dy/db = y log a. Where a = 0 the logarithm, and where b = 0
// the power, would be infinite beside a factor of 0; they are taken of 1 there, in the derivatives
// of higher order too.
class PowOfTwoFunction final : public Function {
 public:
  PowOfTwoFunction() : Function("pow") {}
  Vars backward(const Vars& g) override {
    const Var a = saved(0), b = saved(1), y = saved(2);
    const Var one(kernels::full({}, 1, a.dtype(), a.device()));
    Var da, db;
    if (needs_grad(0)) {
      const Var exponent = where(equal(b, 0), one, add_scalar(b, -1));
      da = sum_to(mul(g[0], mul(b, pow(a, exponent))), a.shape());
    }
    if (needs_grad(1)) {
      const Var log_a = log(where(equal(a, 0), one, a));
      db = sum_to(mul(mul(g[0], y), log_a), b.shape());
    }
    return {da, db};
  }
};

}  // namespace

Var pow(const Var& x, double exponent) {
  const auto node = record<PowFunction>({x}, exponent);
  if (node) node->save(x);
  return attach(node, kernels::pow(x.tensor(), exponent));
}

Var pow(const Var& a, const Var& b) {
  const auto node = record<PowOfTwoFunction>({a, b});
  const Var y = attach(node, kernels::pow(a.tensor(), b.tensor()));
  if (node) {
    node->save(a);
    node->save(b);
    node->save_output(y);
  }
  return y;
}

}  // namespace imago::ops
