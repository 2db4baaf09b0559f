// The engines behind permute.h. Arguments are validated, `order` has axes >= 0, x has elements; out
// is a fresh tensor that holds garbage and is overwritten whole. CUDA engines put their work into
// current_stream() and wait for nothing.
#pragma once

#include <span>

#include "kernels/permute/plan.h"
#include "tensor/tensor.h"

namespace imago::kernels {

// reference.cpp
void permute_reference(const Tensor& x, std::span<const int> order, Tensor& out);
// cpu_direct.cpp
void permute_direct(const Tensor& x, const PermutePlan& plan, Tensor& out);

// permute_1_naive.cu: fewer than 2^31 words, see there.
void permute_naive(const Tensor& x, const PermutePlan& plan, Tensor& out);
// permute_2_tiled.cu: plans that are no copy, whose units are words of 1, 2, 4, 8 or 16 bytes at
// which x starts aligned, with fewer than 2^31 elements.
void permute_tiled(const Tensor& x, const PermutePlan& plan, Tensor& out);

}  // namespace imago::kernels
