// Layer, group and instance norm.
#include "autograd/ops/group_norm.h"
#include "autograd/ops/group_norm_grad.h"
#include "autograd/ops/layer_norm.h"
#include "op_case.h"
#include "tensor/context.h"

namespace imago::test {
namespace {

constexpr double eps = 1e-3;

// {x, gamma, beta}, and {dy, x, gamma}.
std::function<Vars(DType, Size)> inputs(const Shape& x, const Shape& gamma, std::int64_t times) {
  return [=](DType t, Size s) { return leaves(t, {taller(x, s, times), gamma, gamma}); };
}
std::function<Vars(DType, Size)> inputs_with_dy(const Shape& x, const Shape& gamma,
                                                std::int64_t times) {
  return [=](DType t, Size s) {
    const Shape shape = taller(x, s, times);
    return leaves(t, {shape, shape, gamma});
  };
}

ops::NormStatistics statistics(const kernels::NormProblem& p, const Var& x) {
  const ContextScope not_counted;  // no work of the operation under test
  const kernels::NormResult r = kernels::normalise(p, x.tensor(), {}, {}, eps);
  return {r.mean, r.invstd, eps};
}

}  // namespace

std::vector<OpCase> group_norm_cases() {
  std::vector<OpCase> cases;
  struct Problem {
    const char* name;
    Shape x;
    std::int64_t groups;
  };
  for (const Problem& p :
       {Problem{"(N, C), two groups", {2, 6}, 2}, Problem{"images, two groups", {2, 3, 1, 4}, 2},
        Problem{"images, each channel", {1, 2, 2, 3}, 3}}) {
    const Shape channels{p.x[-1]};
    cases.push_back({"group_norm", p.name, inputs(p.x, channels, 8000), [p](const Vars& v) {
                       return Vars{ops::group_norm(v[0], p.groups, v[1], v[2], eps)};
                     }});
    cases.push_back(
        {"group_norm_grad", p.name, inputs_with_dy(p.x, channels, 8000), [p](const Vars& v) {
           const auto problem = kernels::group_norm_problem(v[1].shape(), p.groups);
           const auto g =
               ops::group_norm_grad(problem, v[0], v[1], v[2], statistics(problem, v[1]));
           return Vars{g.dx, g.dgamma, g.dbeta};
         }});
  }
  cases.push_back({"instance_norm", "", inputs({1, 2, 2, 3}, {3}, 8000),
                   [](const Vars& v) { return Vars{ops::instance_norm(v[0], v[1], v[2], eps)}; }});
  cases.push_back({"normalise", "two groups", inputs({2, 3, 1, 4}, {4}, 8000), [](const Vars& v) {
                     const auto problem = kernels::group_norm_problem(v[0].shape(), 2);
                     return Vars{ops::normalise(problem, v[0], v[1], v[2], eps)};
                   }});
  const Shape normalised{2, 3};
  cases.push_back({"layer_norm", "", inputs({3, 2, 3}, normalised, 8000), [=](const Vars& v) {
                     return Vars{ops::layer_norm(v[0], normalised, v[1], v[2], eps)};
                   }});
  cases.push_back({"layer_norm", "without parameters",
                   [](DType t, Size s) {
                     return leaves(t, {taller({2, 5}, s)});
                   },
                   [](const Vars& v) { return Vars{ops::layer_norm(v[0], {5}, {}, {}, eps)}; }});
  return cases;
}

}  // namespace imago::test
