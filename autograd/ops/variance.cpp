#include "autograd/ops/variance.h"

#include "autograd/ops/cast.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"

namespace imago::ops {

Var variance(const Var& x, const kernels::AxisList& axes, bool keepdim, std::int64_t correction) {
  const char* op = "variance";
  const std::int64_t terms = kernels::reduced_terms(op, x.shape(), axes);
  check(correction >= 0 && terms > correction, op, "needs more than correction=", correction,
        " elements, but ", x.shape(), " has ", terms, " in the reduced axes");
  const Var wide = cast(x, acc_dtype(x.dtype()));
  const Var deviation = sub(wide, mean(wide, axes, true));
  const Var total = sum(square(deviation), axes, keepdim);
  return cast(scale(total, 1.0 / static_cast<double>(terms - correction)), x.dtype());
}

}  // namespace imago::ops
