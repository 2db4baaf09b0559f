// The engines of binary cross-entropy, for bce.cpp. Arguments have been checked and have elements;
// results are allocated.
#pragma once

#include "tensor/tensor.h"

namespace imago::kernels {

// Elements that the CPU sums in acc_t: 64 additions in each of 64 lanes. What joins them is f64.
inline constexpr std::int64_t bce_stretch = 4096;

// cpu_rows.cpp, on one thread: `count` logits x and targets t of `dtype`. With dx (count) it is the
// gradient, factor (sigmoid(x) - t), the factor being a number of acc_t; else sums[s] becomes the
// sum of the losses of elements s bce_stretch, s bce_stretch + 1, ...; the last stretch may be
// shorter.
struct BceCall {
  DType dtype;
  const void *x, *t;
  std::int64_t count;
  double* sums;
  void* dx = nullptr;
  double factor = 0;
};
void run_bce(const BceCall& call);

// bce_1_blocks.cu: everything is on the device, work is put into current_stream().
void bce_with_logits_blocks(const Tensor& logits, const Tensor& targets, Tensor& loss);
void bce_with_logits_grad_vector(const Tensor& dy, const Tensor& logits, const Tensor& targets,
                                 Tensor& out);

}  // namespace imago::kernels
