// What the table of operations cannot say about batch norm.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/engine.h"
#include "autograd/ops/batch_norm.h"
#include "autograd/ops/batch_norm_lrelu.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/sum_to.h"
#include "kernels/batch_norm/batch_norm.h"
#include "kernels/tolerance.h"
#include "op_case.h"

using namespace imago;
using namespace imago::test;

namespace {

constexpr double eps = 1e-5;

// The same values rounded to bf16 and held in `dtype`.
Tensor rounded(const Tensor& t, DType dtype) {
  Tensor out = Tensor::empty(t.shape(), dtype);
  dispatch<float, double, bf16>(dtype, "rounded", [&]<class T> {
    T* p = out.mutable_data<T>();
    for (std::int64_t i = 0; i < t.numel(); ++i)
      p[i] = static_cast<T>(static_cast<float>(bf16(t.data<float>()[i])));
  });
  return out;
}

double element(const Tensor& t, std::int64_t i) {
  double value = 0;
  dispatch<float, double, bf16>(t.dtype(), "element",
                                [&]<class T> { value = static_cast<double>(t.data<T>()[i]); });
  return value;
}

// A gradient penalty: d |d <dy, y> / dx|^2 / d (x, gamma), all through batch norm.
Vars penalty_gradient(DType dtype, DType acc) {
  const Vars v = leaves(DType::f32, {{4, 2, 3, 5}, {5}, {5}, {4, 2, 3, 5}});
  const Var x = parameter(rounded(v[0].tensor(), dtype));
  const Var gamma = parameter(rounded(v[1].tensor(), acc));
  const Var beta = parameter(rounded(v[2].tensor(), acc));
  const Var dy = rounded(v[3].tensor(), dtype);
  const Var y = ops::batch_norm_lrelu(x, gamma, beta, eps, 0.2, 2).y;
  const Var dx = grad({y}, {x}, {dy}, {.create_graph = true})[0];
  CHECK(dx.requires_grad());
  return grad({ops::sum(ops::mul(dx, dx))}, {x, gamma});
}

}  // namespace

TEST_CASE("batch_norm: statistics come back as constants with their count") {
  const Vars v = leaves(DType::f32, {{4, 3, 2, 5}, {5}, {5}});
  const ops::BatchNormOutput out = ops::batch_norm(v[0], v[1], v[2], eps, 2);
  const kernels::BatchNormResult want =
      kernels::batch_norm(v[0].tensor(), v[1].tensor(), v[2].tensor(), eps, 2);
  CHECK(out.y.requires_grad());
  CHECK(same_bits(out.y.tensor(), want.y));
  CHECK(same_bits(out.mean, want.mean));
  CHECK(same_bits(out.var, want.var));
  CHECK(out.count == 12);

  Tensor mean = Tensor::zeros({5}), var = Tensor::full({5}, 1.0);
  kernels::update_running(mean, var, out.mean, out.var, out.count, 0.1);
  CHECK(grad({out.y}, {v[0]}, {Var(Tensor::full(v[0].shape(), 1.0))})[0].defined());
}

TEST_CASE("batch_norm: inputs that need no gradient get none, and the others do") {
  Vars v = leaves(DType::f32, {{4, 3}, {3}, {3}});
  v[1].set_requires_grad(false);
  v[2].set_requires_grad(false);
  ops::sum(ops::mul(ops::batch_norm_lrelu(v[0], v[1], v[2], eps, 0.2).y, v[0])).backward();
  CHECK(v[0].grad().defined());
  CHECK_FALSE(v[1].grad().defined());
  CHECK_FALSE(v[2].grad().defined());
}

TEST_CASE("batch_norm: bf16 differentiates twice, close to f64") {
  const Vars got = penalty_gradient(DType::bf16, DType::f32);
  const Vars want = penalty_gradient(DType::f64, DType::f64);
  CHECK(got[0].dtype() == DType::bf16);
  CHECK(got[1].dtype() == DType::f32);
  for (std::size_t k = 0; k < 2; ++k) {
    double error = 0, size = 0;
    for (std::int64_t i = 0; i < want[k].numel(); ++i) {
      const double difference = element(got[k].tensor(), i) - element(want[k].tensor(), i);
      error += difference * difference;
      size += std::pow(element(want[k].tensor(), i), 2);
    }
    // dx, its square and its gradient are each rounded to bf16.
    CHECK(std::sqrt(error / size) <= kernels::epsilon(DType::bf16));
    CHECK(size > 0);
  }
}
