#include "autograd/ops/matmul.h"

#include "autograd/function.h"

namespace imago::ops {
namespace {

constexpr Transpose no = Transpose::no, yes = Transpose::yes;

// With A = op(a), B = op(b) and G the gradient of C = A B: dA = G Bt and dB = At G; where op is the
// transpose, da = dAt = B Gt and db = dBt = Gt A.
class MatmulFunction final : public Function {
 public:
  MatmulFunction(Transpose ta, Transpose tb) : Function("matmul"), ta_(ta), tb_(tb) {}
  Vars backward(const Vars& g) override {
    const Var a = saved(0), b = saved(1);
    Var da, db;
    if (needs_grad(0)) {
      da = ta_ == no ? matmul(g[0], b, no, tb_ == no ? yes : no) : matmul(b, g[0], tb_, yes);
    }
    if (needs_grad(1)) {
      db = tb_ == no ? matmul(a, g[0], ta_ == no ? yes : no, no) : matmul(g[0], a, yes, ta_);
    }
    return {da, db};
  }

 private:
  Transpose ta_, tb_;
};

}  // namespace

Var matmul(const Var& a, const Var& b, Transpose trans_a, Transpose trans_b) {
  const auto node = record<MatmulFunction>({a, b}, trans_a, trans_b);
  if (node) {
    node->save(a);
    node->save(b);
  }
  return attach(node, kernels::gemm(a.tensor(), b.tensor(), trans_a, trans_b));
}

}  // namespace imago::ops
