// The engines of the random tensors, for random.cpp. Arguments have been checked; results are
// allocated.
#pragma once

#include "tensor/philox.h"
#include "tensor/tensor.h"

namespace imago::kernels {

enum class RandomOp { normal, uniform, dropout };

// cpu_philox.cpp, on one thread: writes `count` elements of f32, f64 or bf16, the first of which is
// the first of block `block` of the draw.
struct RandomCall {
  RandomOp op;
  DrawKey key;
  double p = 0;  // the probability that dropout drops an element of x
  DType dtype = DType::f32;
  std::uint64_t block = 0;
  std::int64_t count = 0;
  const void* x = nullptr;  // (count) of `dtype`, for dropout
  void* out = nullptr;      // (count) of `dtype`
};
void run_random(const RandomCall& call);

// random_1_philox.cu: everything is on the device, work is put into current_stream(); no elements
// launch nothing.
void normal_philox(DrawKey key, Tensor& out);
void uniform_philox(DrawKey key, Tensor& out);
void dropout_philox(const Tensor& x, double p, DrawKey key, Tensor& out);

}  // namespace imago::kernels
