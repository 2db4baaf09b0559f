#include "autograd/ops/log.h"

#include "autograd/function.h"
#include "autograd/ops/div.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class LogFunction final : public Function {
 public:
  LogFunction() : Function("log") {}
  Vars backward(const Vars& g) override { return {div(g[0], saved(0))}; }
};

}  // namespace

Var log(const Var& x) {
  const auto node = record<LogFunction>({x});
  if (node) node->save(x);
  return attach(node, kernels::log(x.tensor()));
}

}  // namespace imago::ops
