// Reductions over sets of axes.
#include "autograd/ops/logsumexp.h"
#include "autograd/ops/max.h"
#include "autograd/ops/norm.h"
#include "autograd/ops/sum_to.h"
#include "autograd/ops/variance.h"
#include "op_case.h"
#include "tensor/context.h"

namespace imago::test {
namespace {

using kernels::AxisList;

// Values 0, 1/8, 2/8, ... in a shuffled order, so that no two are near each other.
Vars apart(DType dtype, const Shape& shape) {
  Tensor t = Tensor::empty(shape, DType::f64, Device::cpu());
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < t.numel(); ++i, at = (at + 7) % t.numel()) {
    t.mutable_data<double>()[i] = 0.125 * static_cast<double>(at % 512);
  }
  const Var moved = parameter(t.to(Context::current().device));
  return dtype == DType::f64 ? Vars{moved} : leaves(dtype, {shape});
}

}  // namespace

std::vector<OpCase> reduction_cases() {
  struct Axes {
    const char* name;
    Shape x;
    AxisList axes;
    bool keepdim;
  };
  const std::vector<Axes> problems = {
      {"one axis", {3, 4, 2}, {1}, false},
      {"two axes apart, kept", {2, 3, 2}, {0, -1}, true},
      {"all", {3, 3}, {}, false},
  };
  std::vector<OpCase> cases;
  for (const Axes& p : problems) {
    const auto values = [p](DType t, Size s) { return apart(t, taller(p.x, s)); };
    const auto uniform = [p](DType t, Size s) { return leaves(t, {taller(p.x, s)}, {-1, 1, {0}}); };
    cases.push_back({"sum(x, axes, keepdim)", p.name, uniform,
                     [p](const Vars& v) { return Vars{ops::sum(v[0], p.axes, p.keepdim)}; }});
    cases.push_back({"mean(x, axes, keepdim)", p.name, uniform,
                     [p](const Vars& v) { return Vars{ops::mean(v[0], p.axes, p.keepdim)}; }});
    cases.push_back({"max", p.name, values,
                     [p](const Vars& v) { return Vars{ops::max(v[0], p.axes, p.keepdim)}; }});
    cases.push_back({"min", p.name, values,
                     [p](const Vars& v) { return Vars{ops::min(v[0], p.axes, p.keepdim)}; }});
    cases.push_back({"logsumexp", p.name, uniform,
                     [p](const Vars& v) { return Vars{ops::logsumexp(v[0], p.axes, p.keepdim)}; }});
    for (const double order : {1.0, 2.0}) {
      cases.push_back(
          {"norm", (order == 1 ? "L1, " : "L2, ") + std::string(p.name), uniform,
           [p, order](const Vars& v) { return Vars{ops::norm(v[0], order, p.axes, p.keepdim)}; }});
    }
    cases.push_back({"variance", p.name, uniform, [p](const Vars& v) {
                       return Vars{ops::variance(v[0], p.axes, p.keepdim, 1)};
                     }});
  }
  return cases;
}

}  // namespace imago::test
