#include "kernels/gemm/gemm.h"

#include <algorithm>

#include "kernels/cuda_build.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/gemm/engines.h"
#include "tensor/error.h"
#include "tensor/op_range.h"

namespace imago::kernels {

namespace {

const char* const op = "gemm";

struct Product {
  std::int64_t batches, m, n, k;

  double flops() const {
    return 2.0 * static_cast<double>(batches) * static_cast<double>(m) * static_cast<double>(n) *
           static_cast<double>(k);
  }
};

// The engine to run, given what the caller asked for.
Engine choose(Engine asked, const Product& p, DType dtype, Device device) {
  const auto extents = [&] {
    return (p.batches > 1 ? std::to_string(p.batches) + " x " : "") + std::to_string(p.m) + " x " +
           std::to_string(p.n) + " x " + std::to_string(p.k);
  };
  const bool f32 = dtype == DType::f32;
  if (device.is_cuda()) {
    constexpr std::int64_t limit = std::int64_t{1} << 30, columns = std::int64_t{1} << 21;
    const bool small = p.m * p.k < limit && p.k * p.n < limit && p.m * p.n < limit &&
                       p.n < columns && p.batches < (1 << 16);
    const CudaEngine engines[] = {
        {Engine::blocked, f32 && small,
         "f32 matrices below 2^30 elements and 2^21 columns, fewer than 2^16 of them"},
        {Engine::tiled, small,
         "matrices below 2^30 elements and 2^21 columns, fewer than 2^16 of them"},
        {Engine::naive, true, "every problem"}};
    return choose_cuda_engine(op, asked, {dtype, p.flops(), extents}, engines);
  }
  return choose_cpu_engine(op, asked,
                           {.dtype = dtype,
                            .direct = dtype != DType::f64,
                            .direct_takes = "f32 and bf16",
                            .reference_seconds = 1e-9 * p.flops(),
                            .describe = extents});
}

Tensor as_batch(const Tensor& m) {
  return m.dim() == 3 ? m : m.reshape({1, m.size(0), m.size(1)});
}

}  // namespace

Tensor gemm(const Tensor& a, const Tensor& b, Transpose trans_a, Transpose trans_b, Engine engine) {
  check(a.defined() && b.defined(), op, a.defined() ? "b" : "a", " is undefined");
  check(is_floating(a.dtype()), op, "a is f32, f64 or bf16, not ", a.dtype());
  check(a.dtype() == b.dtype(), op, "a is ", a.dtype(), " but b is ", b.dtype(),
        "; cast one of them");
  check(a.device() == b.device(), op, "a is on ", a.device(), " but b is on ", b.device(),
        "; move one of them with to(device), a network whole");
  const auto fits = [](const Tensor& t) { return t.dim() == 2 || t.dim() == 3; };
  check(fits(a) && fits(b), op, "a and b are matrices or batches of them, but they are ", a.shape(),
        " and ", b.shape());
  const bool ta = trans_a == Transpose::yes, tb = trans_b == Transpose::yes;
  const bool one = a.dim() == 2 && b.dim() == 2;
  Tensor left = as_batch(a), right = as_batch(b);
  Product p{std::max(left.size(0), right.size(0)), a.size(ta ? -1 : -2), b.size(tb ? -2 : -1),
            a.size(ta ? -2 : -1)};
  check(b.size(tb ? -1 : -2) == p.k, op, "inner extents differ: a ", a.shape(),
        ta ? " transposed" : "", " has ", p.k, ", b ", b.shape(), tb ? " transposed" : "", " has ",
        b.size(tb ? -1 : -2));
  check(p.m > 0 && p.n > 0 && p.k > 0 && left.size(0) > 0 && right.size(0) > 0, op,
        "no extent is 0, but a is ", a.shape(), " and b ", b.shape());
  const auto agrees = [&](const Tensor& t) { return t.size(0) == p.batches || t.size(0) == 1; };
  check(agrees(left) && agrees(right), op, "batches differ: a ", a.shape(), " has ", left.size(0),
        ", b ", b.shape(), " has ", right.size(0), "; they agree or one of them is 1");
  const OpRange range(op, a.device());
  range.states_flops(p.flops());
  const Shape shape = one ? Shape{p.m, p.n} : Shape{p.batches, p.m, p.n};
  // Products with one and the same b are one product with as many rows.
  if (right.size(0) == 1 && !ta) {
    p = {1, p.batches * p.m, p.n, p.k};
    left = left.reshape({1, p.m, p.k});
  }
  const Engine chosen = choose(engine, p, a.dtype(), a.device());
  Tensor c = Tensor::empty({p.batches, p.m, p.n}, a.dtype(), a.device());
  if constexpr (cuda_build) {
    if (chosen == Engine::blocked) gemm_blocked(left, right, trans_a, trans_b, c);
    if (chosen == Engine::tiled) gemm_tiled(left, right, trans_a, trans_b, c);
    if (chosen == Engine::naive) gemm_naive(left, right, trans_a, trans_b, c);
  }
  if (chosen == Engine::direct) {  // in f32: bf16 is summed in it, and copies cost little here
    Tensor wide = c.dtype() == DType::f32 ? c : Tensor::empty(c.shape(), DType::f32, c.device());
    gemm_direct(cast(left, DType::f32), cast(right, DType::f32), trans_a, trans_b, wide);
    c = cast(wide, c.dtype());
  }
  if (chosen == Engine::reference) gemm_reference(left, right, trans_a, trans_b, c);
  return c.reshape(shape);
}

}  // namespace imago::kernels
