#include "nn/spectral_norm.h"

#include "autograd/ops/div.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/sum_to.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/random/random.h"
#include "kernels/reduce/reduce.h"

namespace imago::nn {
namespace {

using kernels::Transpose;

constexpr Transpose no = Transpose::no, yes = Transpose::yes;

// The weight as it lies in memory: (out, rest), or (rest, out).
Shape matrix_shape(const Shape& weight, Outputs outputs) {
  const std::int64_t out = outputs == Outputs::first ? weight[0] : weight[weight.dim() - 1];
  const std::int64_t rest = weight.numel() / out;
  return outputs == Outputs::first ? Shape{out, rest} : Shape{rest, out};
}

// x / max(|x|, 1e-12), as a column.
Tensor unit(const Tensor& x) {
  constexpr double eps = 1e-12;
  const Tensor length = kernels::sqrt(kernels::sum_to(kernels::square(x), {}));
  const Tensor above = kernels::relu(kernels::add_scalar(length, -eps));
  return kernels::div(x, kernels::add_scalar(above, eps));
}

// The v of the power method, from u; columns.
Tensor next_v(const Tensor& matrix, const Tensor& u, Outputs outputs) {
  return unit(kernels::gemm(matrix, u, outputs == Outputs::first ? yes : no));
}

}  // namespace

SpectralNorm::Vectors SpectralNorm::start(const Tensor& weight, Outputs outputs) {
  const Tensor matrix = weight.reshape(matrix_shape(weight.shape(), outputs));
  const std::int64_t out = matrix.size(outputs == Outputs::first ? 0 : 1);
  const DrawKey key = Context::current().generator.next();
  const Tensor draw = kernels::normal({out, 1}, DType::f32, key).to(weight.device());
  const Tensor u = unit(kernels::cast(draw, weight.dtype()));
  return {u.reshape({-1}), next_v(matrix, u, outputs).reshape({-1})};
}

SpectralNorm::SpectralNorm(Var weight, Var u, Var v, Outputs outputs)
    : weight_(std::move(weight)), u_(std::move(u)), v_(std::move(v)), outputs_(outputs) {}

Var SpectralNorm::operator()(bool improve) const {
  // Columns, in memory of their own: a later pass that writes the buffers leaves them alone.
  const Var matrix = ops::reshape(weight_, matrix_shape(weight_.shape(), outputs_));
  const Tensor u_before = u_.tensor().reshape({-1, 1});
  const Tensor v =
      improve ? next_v(matrix.tensor(), u_before, outputs_) : v_.tensor().clone().reshape({-1, 1});
  const Var stretched = ops::matmul(matrix, v, outputs_ == Outputs::first ? no : yes);  // (out, 1)
  const Tensor u = improve ? unit(stretched.tensor()) : u_before.clone();
  if (improve) {
    Tensor u_memory = u_.tensor(), v_memory = v_.tensor();
    u_memory.copy_from(u.reshape({-1}));
    v_memory.copy_from(v.reshape({-1}));
  }
  return ops::div(weight_, ops::sum(ops::mul(Var(u), stretched)));
}

}  // namespace imago::nn
