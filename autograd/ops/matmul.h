#pragma once

#include "autograd/var.h"
#include "kernels/gemm/gemm.h"

namespace imago::ops {

using kernels::Transpose;

// op(a) op(b) for matrices a and b, op(m) = m or its transpose: (M, K) x (K, N) -> (M, N); or for
// batches of them, (B, M, K) x (B, K, N) -> (B, M, N), where a matrix or a batch of 1 is shared by
// all products and its gradient is the sum over them.
Var matmul(const Var& a, const Var& b, Transpose trans_a = Transpose::no,
           Transpose trans_b = Transpose::no);

}  // namespace imago::ops
