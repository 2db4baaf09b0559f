#include "kernels/gemm/gemm.h"

#include "kernels/cuda_build.h"
#include "kernels/gemm/engines.h"
#include "tensor/error.h"
#include "tensor/op_range.h"

namespace imago::kernels {

namespace {

const char* const op = "gemm";

// The engine to run for c (M, N), given what the caller asked for.
Engine choose(Engine asked, const Tensor& a, const Tensor& b, std::int64_t m, std::int64_t n,
              std::int64_t k) {
  const auto extents = [&] {
    return std::to_string(m) + " x " + std::to_string(n) + " x " + std::to_string(k);
  };
  const double flops =
      2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  const bool f32 = a.dtype() == DType::f32;
  if (a.device().is_cuda()) {
    constexpr std::int64_t limit = std::int64_t{1} << 30, columns = std::int64_t{1} << 21;
    const bool small = a.numel() < limit && b.numel() < limit && m * n < limit && n < columns;
    const CudaEngine engines[] = {
        {Engine::blocked, f32 && small, "f32 matrices below 2^30 elements and 2^21 columns"},
        {Engine::tiled, small, "matrices below 2^30 elements and 2^21 columns"},
        {Engine::naive, true, "every problem"}};
    return choose_cuda_engine(op, asked, {a.dtype(), flops, extents}, engines);
  }
  return choose_cpu_engine(op, asked,
                           {.dtype = a.dtype(),
                            .direct = f32,
                            .direct_takes = "f32",
                            .reference_seconds = 1e-9 * flops,
                            .describe = extents});
}

}  // namespace

Tensor gemm(const Tensor& a, const Tensor& b, Transpose trans_a, Transpose trans_b, Engine engine) {
  check(a.defined() && b.defined(), op, a.defined() ? "b" : "a", " is undefined");
  check(is_floating(a.dtype()), op, "a is f32, f64 or bf16, not ", a.dtype());
  check(a.dtype() == b.dtype(), op, "a is ", a.dtype(), " but b is ", b.dtype(),
        "; cast one of them");
  check(a.device() == b.device(), op, "a is on ", a.device(), " but b is on ", b.device(),
        "; move one of them with to(device), a network whole");
  check(a.dim() == 2 && b.dim() == 2, op, "a and b are matrices, but they are ", a.shape(), " and ",
        b.shape());
  const bool ta = trans_a == Transpose::yes, tb = trans_b == Transpose::yes;
  const std::int64_t m = a.size(ta ? 1 : 0), k = a.size(ta ? 0 : 1);
  const std::int64_t n = b.size(tb ? 0 : 1);
  check(b.size(tb ? 1 : 0) == k, op, "inner extents differ: a ", a.shape(), ta ? " transposed" : "",
        " has ", k, ", b ", b.shape(), tb ? " transposed" : "", " has ", b.size(tb ? 1 : 0));
  check(m > 0 && n > 0 && k > 0, op, "no extent is 0, but a is ", a.shape(), " and b ", b.shape());
  const OpRange range(op, a.device());
  range.states_flops(2.0 * static_cast<double>(m) * static_cast<double>(n) *
                     static_cast<double>(k));
  const Engine chosen = choose(engine, a, b, m, n, k);
  Tensor c = Tensor::empty({m, n}, a.dtype(), a.device());
  if constexpr (cuda_build) {
    if (chosen == Engine::blocked) gemm_blocked(a, b, trans_a, trans_b, c);
    if (chosen == Engine::tiled) gemm_tiled(a, b, trans_a, trans_b, c);
    if (chosen == Engine::naive) gemm_naive(a, b, trans_a, trans_b, c);
  }
  if (chosen == Engine::direct) gemm_direct(a, b, trans_a, trans_b, c);
  if (chosen == Engine::reference) gemm_reference(a, b, trans_a, trans_b, c);
  return c;
}

}  // namespace imago::kernels
