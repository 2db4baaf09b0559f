#pragma once

#include "autograd/var.h"
#include "kernels/gemm/gemm.h"

namespace imago::ops {

using kernels::Transpose;

// op(a) op(b) for matrices a and b, op(m) = m or its transpose: (M, K) x (K, N) -> (M, N).
Var matmul(const Var& a, const Var& b, Transpose trans_a = Transpose::no,
           Transpose trans_b = Transpose::no);

}  // namespace imago::ops
