#include "autograd/ops/add_scalar.h"

#include "autograd/function.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class AddScalarFunction final : public Function {
 public:
  AddScalarFunction() : Function("add_scalar") {}
  Vars backward(const Vars& g) override { return {g[0]}; }
};

}  // namespace

Var add_scalar(const Var& x, double term) {
  const auto node = record<AddScalarFunction>({x});
  return attach(node, kernels::add_scalar(x.tensor(), term));
}

}  // namespace imago::ops
