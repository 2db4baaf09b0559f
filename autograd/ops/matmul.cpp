#include "autograd/ops/matmul.h"

#include "autograd/function.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/sum_to.h"

namespace imago::ops {
namespace {

constexpr Transpose no = Transpose::no, yes = Transpose::yes;

// With A = op(a), B = op(b) and G the gradient of C = A B: dA = G Bt and dB = At G; where op is the
// transpose, da = dAt = B Gt and db = dBt = Gt A. The gradient of an operand that a batch shares is
// summed over the batch.
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
    return {da ? sum_to(da, a.shape()) : da, db ? sum_to(db, b.shape()) : db};
  }

 private:
  Transpose ta_, tb_;
};

// Whether products of a batch share b and can be seen as one product with as many rows; its
// gradient is then one product as well, where the batch would make one for each and add them up.
bool is_one_product(const Var& a, const Var& b, Transpose trans_a, Transpose trans_b) {
  if (a.dim() != 3 || trans_a == yes || (b.dim() != 2 && (b.dim() != 3 || b.size(0) != 1))) {
    return false;
  }
  return b.size(trans_b == yes ? -1 : -2) == a.size(2);  // else matmul shall say so
}

}  // namespace

Var matmul(const Var& a, const Var& b, Transpose trans_a, Transpose trans_b) {
  if (is_one_product(a, b, trans_a, trans_b)) {
    const Var rows = reshape(a, {a.size(0) * a.size(1), a.size(2)});
    const Var matrix = b.dim() == 2 ? b : reshape(b, {b.size(1), b.size(2)});
    const Var c = matmul(rows, matrix, no, trans_b);
    return reshape(c, {a.size(0), a.size(1), c.size(1)});
  }
  const auto node = record<MatmulFunction>({a, b}, trans_a, trans_b);
  if (node) {
    node->save(a);
    node->save(b);
  }
  return attach(node, kernels::gemm(a.tensor(), b.tensor(), trans_a, trans_b));
}

}  // namespace imago::ops
