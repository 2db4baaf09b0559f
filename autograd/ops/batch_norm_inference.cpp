#include "autograd/ops/batch_norm_inference.h"

#include "autograd/composite.h"
#include "autograd/function.h"
#include "autograd/ops/add.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/div.h"
#include "autograd/ops/leaky_relu.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/sqrt.h"
#include "autograd/ops/sub.h"
#include "kernels/batch_norm/batch_norm.h"

namespace imago::ops {
namespace {

class BatchNormInferenceFunction final : public Function {
 public:
  BatchNormInferenceFunction(double eps, double slope)
      : Function("batch_norm_inference"), eps_(eps), slope_(slope) {}

  Vars backward(const Vars& g) override {
    const Var mean = saved(3), deviation = sqrt(add_scalar(saved(4), eps_));
    return composite_backward(
        [&](const Vars& v) {
          const Var xhat = div(sub(cast(v[0], v[1].dtype()), mean), deviation);
          const Var z = add(mul(xhat, v[1]), v[2]);
          return Vars{cast(leaky_relu(z, slope_), v[0].dtype())};
        },
        {saved(0), saved(1), saved(2)}, {needs_grad(0), needs_grad(1), needs_grad(2)}, g);
  }

 private:
  double eps_, slope_;
};

}  // namespace

Var batch_norm_inference(const Var& x, const Var& gamma, const Var& beta,
                         const Tensor& running_mean, const Tensor& running_var, double eps,
                         double slope) {
  Tensor y = kernels::batch_norm_inference(x.tensor(), gamma.tensor(), beta.tensor(), running_mean,
                                           running_var, eps, slope);
  const auto node = record<BatchNormInferenceFunction>({x, gamma, beta}, eps, slope);
  if (node) {
    node->save(x);
    node->save(gamma);
    node->save(beta);
    node->save(running_mean);
    node->save(running_var);
  }
  return attach(node, std::move(y));
}

}  // namespace imago::ops
