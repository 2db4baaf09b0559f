#include <cmath>
#include <functional>

#include "autograd/ops/batch_norm.h"
#include "autograd/ops/batch_norm_grad.h"
#include "autograd/ops/batch_norm_inference.h"
#include "autograd/ops/batch_norm_lrelu.h"
#include "autograd/ops/batch_norm_lrelu_grad.h"
#include "kernels/batch_norm/batch_norm.h"
#include "op_case.h"
#include "tensor/context.h"

namespace imago::test {
namespace {

constexpr double eps = 1e-5;

struct Problem {
  const char* name;
  Shape x;
  std::int64_t groups;
};

// Small: gradgradcheck costs the square of the number of elements. At least three rows: with two,
// xhat is +-1 whatever x is.
const std::vector<Problem>& problems() {
  static const std::vector<Problem> list = {
      {"(N, C)", {5, 3}, 1},
      {"(N, C), two groups", {6, 2}, 2},
      {"images", {2, 2, 3, 2}, 1},
      {"images, two groups", {4, 1, 3, 2}, 2},
  };
  return list;
}

// {x, gamma, beta}, none of whose values before the activation, found by `z`, is near 0.
using BeforeActivation = std::function<Tensor(const Vars&)>;
Vars away_from_kink(const Shape& x, DType dtype, const BeforeActivation& z) {
  const std::vector<Shape> shapes{x, {x[-1]}, {x[-1]}};
  for (std::uint64_t seed = 1;; ++seed) {
    const Tensor values = z(leaves(DType::f64, shapes, {}, seed)).to(Device::cpu());
    bool clear = true;
    for (std::int64_t i = 0; i < values.numel(); ++i)
      clear &= std::abs(values.data<double>()[i]) > 0.02;
    if (clear) return leaves(dtype, shapes, {}, seed);
  }
}

Vars inputs(const Problem& p, DType dtype, Size size = Size::small) {
  if (size == Size::large) return leaves(dtype, {taller(p.x, size), {p.x[-1]}, {p.x[-1]}});
  return away_from_kink(p.x, dtype, [&](const Vars& v) {
    return kernels::batch_norm(v[0].tensor(), v[1].tensor(), v[2].tensor(), eps, p.groups).y;
  });
}

// {dy, x, gamma}. beta, on which no gradient of a gradient depends, is beta_of.
Vars inputs_with_dy(const Problem& p, DType dtype, Size size) {
  const Vars v = inputs(p, dtype, size);
  return {leaves(dtype, {v[0].shape()}, {}, 12345)[0], v[0], v[1]};
}
Var beta_of(const Problem& p, DType dtype) {
  return inputs(p, dtype)[2].detach();
}

ops::BatchNormStatistics statistics(const Problem& p, const Var& x, const Var& gamma) {
  const ContextScope not_counted;  // no work of the operation under test
  const kernels::BatchNormResult r =
      kernels::batch_norm(x.tensor(), gamma.tensor(), gamma.tensor(), eps, p.groups);
  return {r.mean, r.invstd, eps, p.groups};
}

Tensor running_mean(DType dtype) {
  return leaves(dtype, {{2}}, {.low = -0.5, .high = 0.5}, 3)[0].tensor();
}
Tensor running_var(DType dtype) {
  return leaves(dtype, {{2}}, {.low = 0.25, .high = 0.5}, 4)[0].tensor();
}
Vars inference_inputs(DType dtype, Size size) {
  if (size == Size::large) return leaves(dtype, {taller({2, 2, 2, 2}, size), {2}, {2}});
  return away_from_kink({2, 2, 2, 2}, dtype, [](const Vars& v) {
    return kernels::batch_norm_inference(v[0].tensor(), v[1].tensor(), v[2].tensor(),
                                         running_mean(DType::f64), running_var(DType::f64), eps);
  });
}

}  // namespace

std::vector<OpCase> batch_norm_cases() {
  std::vector<OpCase> cases;
  for (const Problem& p : problems()) {
    cases.push_back(
        {"batch_norm", p.name, [p](DType t, Size s) { return inputs(p, t, s); },
         [p](const Vars& v) { return Vars{ops::batch_norm(v[0], v[1], v[2], eps, p.groups).y}; }});
    cases.push_back(
        {"batch_norm_grad", p.name, [p](DType t, Size s) { return inputs_with_dy(p, t, s); },
         [p](const Vars& v) {
           const auto g = ops::batch_norm_grad(v[0], v[1], v[2], statistics(p, v[1], v[2]));
           return Vars{g.dx, g.dgamma, g.dbeta};
         }});
    for (const double slope : {0.0, 0.2}) {
      const std::string name = std::string(p.name) + (slope == 0 ? ", ReLU" : ", slope 0.2");
      cases.push_back({"batch_norm_lrelu", name, [p](DType t, Size s) { return inputs(p, t, s); },
                       [p, slope](const Vars& v) {
                         return Vars{
                             ops::batch_norm_lrelu(v[0], v[1], v[2], eps, slope, p.groups).y};
                       }});
      cases.push_back(
          {"batch_norm_lrelu_grad", name, [p](DType t, Size s) { return inputs_with_dy(p, t, s); },
           [p, slope](const Vars& v) {
             const auto g = ops::batch_norm_lrelu_grad(v[0], v[1], v[2], beta_of(p, v[0].dtype()),
                                                       statistics(p, v[1], v[2]), slope);
             return Vars{g.dx, g.dgamma, g.dbeta};
           }});
    }
  }
  for (const double slope : {1.0, 0.0, 0.2}) {
    cases.push_back({"batch_norm_inference", slope == 1 ? "plain" : "with leaky ReLU",
                     inference_inputs, [slope](const Vars& v) {
                       const DType t = v[1].dtype();
                       return Vars{ops::batch_norm_inference(v[0], v[1], v[2], running_mean(t),
                                                             running_var(t), eps, slope)};
                     }});
  }
  return cases;
}

}  // namespace imago::test
