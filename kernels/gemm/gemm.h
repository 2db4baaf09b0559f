// Matrix product: c = op(a) op(b), op(m) = m or its transpose; or a batch of them.
//
// Shapes: op(a) (M, K), op(b) (K, N), c (M, N), row-major; or, if a or b has rank 3, op(a)
// (B, M, K), op(b) (B, K, N), c (B, M, N), where a matrix, and a batch of 1, is shared by all B
// products. op exchanges the last two extents. None of them may be 0.
// Dtypes: a, b, c all T of f32, f64, bf16; sums in acc_t<T>.
// Deterministic, for any number of threads. The result is a new tensor.
// Engines: reference (every dtype) and direct (f32, bf16) on the CPU; blocked (f32), tiled and
// naive (every dtype) on CUDA; automatic.
#pragma once

#include "kernels/engine.h"
#include "tensor/tensor.h"

namespace imago::kernels {

enum class Transpose : bool { no = false, yes = true };

// Throws when the ranks are not 2 or 3, the inner extents, the batches or the dtypes differ.
Tensor gemm(const Tensor& a, const Tensor& b, Transpose trans_a = Transpose::no,
            Transpose trans_b = Transpose::no, Engine engine = Engine::automatic);

}  // namespace imago::kernels
