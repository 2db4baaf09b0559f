// The engines behind cross_entropy.h. Arguments are validated and have elements; results are
// allocated.
#pragma once

#include "kernels/cross_entropy/cross_entropy.h"

namespace imago::kernels {

// cpu_rows.cpp, on one thread: `rows` rows of `classes` logits. With dx (rows, classes) it is the
// gradient, which reads the statistics and `scale`, dy times the weight, of each row; else the
// forward pass, which writes largest, log_sum and loss, all (rows) of acc_t. Labels are in range;
// a loss of an ignored row is 0.
struct CrossEntropyCall {
  DType dtype;
  const void* x;
  const std::int64_t* labels;
  std::int64_t rows, classes;
  CrossEntropyOptions options;
  void *largest, *log_sum, *loss;
  const void* scale = nullptr;
  void* dx = nullptr;
};
void run_cross_entropy(const CrossEntropyCall& call);

// cross_entropy_1_rows.cu
void cross_entropy_cuda(const Tensor& logits, const Tensor& labels,
                        const CrossEntropyOptions& options, CrossEntropyResult& out);
void cross_entropy_grad_cuda(const Tensor& dy, const Tensor& logits, const Tensor& labels,
                             const CrossEntropyResult& forward, const CrossEntropyOptions& options,
                             Tensor& dx);

}  // namespace imago::kernels
