#include "autograd/ops/group_norm_grad.h"

#include "autograd/composite.h"
#include "autograd/function.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/div.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sqrt.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

using kernels::NormProblem;

// group_norm_grad of {dy, x, gamma} from elementary operations, statistics computed afresh.
Vars composite(const NormProblem& p, const Vars& inputs, double eps) {
  const Shape whole{p.images, p.pixels, p.groups, p.width}, per_group{p.images, 1, p.groups, 1};
  const Shape per_channel{p.groups, p.width};
  const DType acc = inputs[2].dtype();
  const auto widened = [&](const Var& v) { return reshape(cast(v, acc), whole); };
  const auto average = [&](const Var& v) {
    return scale(sum_to(v, per_group), 1.0 / static_cast<double>(p.terms()));
  };
  const Var dy = widened(inputs[0]), x = widened(inputs[1]);
  const Var gamma = reshape(inputs[2], per_channel);

  const Var centred = sub(x, average(x));
  const Var deviation = sqrt(add_scalar(average(square(centred)), eps));  // (images, 1, groups, 1)
  const Var xhat = div(centred, deviation), weighted = mul(dy, gamma);
  const Var inner = sub(sub(weighted, average(weighted)), mul(xhat, average(mul(weighted, xhat))));
  const Var dx = cast(reshape(div(inner, deviation), inputs[1].shape()), inputs[1].dtype());
  return {dx, reshape(sum_to(mul(dy, xhat), per_channel), inputs[2].shape()),
          reshape(sum_to(dy, per_channel), inputs[2].shape())};
}

class NormGradFunction final : public Function {
 public:
  NormGradFunction(const NormProblem& problem, double eps)
      : Function("group_norm_grad"), problem_(problem), eps_(eps) {}
  Vars backward(const Vars& g) override {
    Vars grads = g;
    grads.resize(3);
    return composite_backward([this](const Vars& v) { return composite(problem_, v, eps_); },
                              {saved(0), saved(1), saved(2)},
                              {needs_grad(0), needs_grad(1), needs_grad(2)}, grads);
  }

 private:
  NormProblem problem_;
  double eps_;
};

class NormFunction final : public Function {
 public:
  NormFunction(const NormProblem& problem, double eps)
      : Function(problem.name), problem_(problem), eps_(eps) {}
  Vars backward(const Vars& g) override {
    const NormStatistics statistics{saved(2).tensor(), saved(3).tensor(), eps_};
    const bool parameters = needs_grad(1) || needs_grad(2);
    const NormGradOutput out =
        group_norm_grad(problem_, g[0], saved(0), saved(1), statistics, parameters);
    return {needs_grad(0) ? out.dx : Var(), needs_grad(1) ? out.dgamma : Var(),
            needs_grad(2) ? out.dbeta : Var()};
  }

 private:
  NormProblem problem_;
  double eps_;
};

}  // namespace

Var normalise(const NormProblem& problem, const Var& x, const Var& gamma, const Var& beta,
              double eps) {
  const auto constant = [&](double value) {
    return Var(kernels::full({problem.channels()}, value, acc_dtype(x.dtype()), x.device()));
  };
  const Var g = gamma ? gamma : constant(1), b = beta ? beta : constant(0);
  kernels::NormResult result = kernels::normalise(problem, x.tensor(), g.tensor(), b.tensor(), eps);
  const auto node = record<NormFunction>({x, g, b}, problem, eps);
  if (node) {
    node->save(x);
    node->save(g);
    node->save(result.mean);
    node->save(result.invstd);
  }
  return attach(node, result.y);
}

NormGradOutput group_norm_grad(const NormProblem& problem, const Var& dy, const Var& x,
                               const Var& gamma, const NormStatistics& statistics,
                               bool parameters) {
  kernels::NormGrads result =
      kernels::normalise_grad(problem, dy.tensor(), x.tensor(), gamma.tensor(), statistics.mean,
                              statistics.invstd, parameters);
  const auto node = record<NormGradFunction>({dy, x, gamma}, problem, statistics.eps);
  if (node) {
    node->save(dy);
    node->save(x);
    node->save(gamma);
  }
  const Var dx = attach(node, result.dx);
  if (!parameters) return {dx, Var(), Var()};
  const Var dgamma = attach(node, result.dgamma);
  return {dx, dgamma, attach(node, result.dbeta)};
}

}  // namespace imago::ops
