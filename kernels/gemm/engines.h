// The engines behind gemm.h. Arguments are validated, on the engine's device and of rank 3, c
// (B, M, N) and a and b with as many matrices or one; c is a fresh tensor that holds garbage and is
// overwritten whole. CUDA engines put their work into current_stream() and
// wait for nothing.
#pragma once

#include "kernels/gemm/gemm.h"

namespace imago::kernels {

// reference.cpp: every dtype.
void gemm_reference(const Tensor& a, const Tensor& b, Transpose trans_a, Transpose trans_b,
                    Tensor& c);
// cpu_direct.cpp: f32; also of rank 2, all three.
void gemm_direct(const Tensor& a, const Tensor& b, Transpose trans_a, Transpose trans_b, Tensor& c);

// gemm_1_naive.cu: every problem, every dtype.
void gemm_naive(const Tensor& a, const Tensor& b, Transpose trans_a, Transpose trans_b, Tensor& c);

// gemm_2_tiled.cu: every dtype; fewer than 2^16 matrices below 2^30 elements, fewer than 2^21
// columns of c.
void gemm_tiled(const Tensor& a, const Tensor& b, Transpose trans_a, Transpose trans_b, Tensor& c);

// gemm_3_blocked.cu: f32; extents as for tiled.
void gemm_blocked(const Tensor& a, const Tensor& b, Transpose trans_a, Transpose trans_b,
                  Tensor& c);

// Elements from one matrix of a batch to the next; 0 for a matrix that all products share.
inline std::int64_t batch_step(const Tensor& m) {
  return m.dim() == 3 && m.size(0) > 1 ? m.size(1) * m.size(2) : 0;
}

// Calls f.template operator()<transposed_a, transposed_b>().
template <class F>
void with_transposes(Transpose trans_a, Transpose trans_b, F&& f) {
  if (trans_a == Transpose::yes) {
    if (trans_b == Transpose::yes) {
      f.template operator()<true, true>();
    } else {
      f.template operator()<true, false>();
    }
  } else {
    if (trans_b == Transpose::yes) {
      f.template operator()<false, true>();
    } else {
      f.template operator()<false, false>();
    }
  }
}

}  // namespace imago::kernels
