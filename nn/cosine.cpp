#include "nn/cosine.h"

#include <cmath>

#include "autograd/ops/cast.h"
#include "autograd/ops/clamp.h"
#include "autograd/ops/div.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/norm.h"
#include "nn/init.h"

namespace imago::nn {

Var l2_normalize(const Var& x, double eps) {
  check(eps > 0, "l2_normalize", "eps is positive, not ", eps);
  check(is_floating(x.dtype()) && x.dim() > 0, "l2_normalize",
        "takes rows (..., D) of f32, f64 or bf16, not ", x.dtype(), " ", x.shape());
  // In acc_t: a length rounded to bf16 would make a row up to 0.4 per cent too long or too short.
  // The norm of zeros has gradient 0, and a length below eps is out of the clamp, which passes none
  // on: what is left there of every derivative is that of x / eps.
  const Var wide = ops::cast(x, acc_dtype(x.dtype()));
  const Var length = ops::clamp(ops::norm(wide, 2, {-1}, true), {.low = eps});
  return ops::cast(ops::div(wide, length), x.dtype());
}

CosineLinear::CosineLinear(const CosineLinearOptions& options) : options_(options) {
  check(options.in > 0 && options.out > 0, "CosineLinear", "in and out must be positive, not ",
        options.in, " and ", options.out);
  weight_ = add_parameter("weight", Tensor::empty({options.out, options.in}));
  fill_normal(weight_, 0, 1 / std::sqrt(static_cast<double>(options.in)));
}

Var CosineLinear::forward(const Var& x) {
  check(x.dim() == 2 && x.size(1) == options_.in, "CosineLinear", "expects (N, ", options_.in,
        ") but the input is ", x.shape(), "; is a Flatten missing before it?");
  return ops::matmul(l2_normalize(x), l2_normalize(weight_), ops::Transpose::no,
                     ops::Transpose::yes);
}

}  // namespace imago::nn
