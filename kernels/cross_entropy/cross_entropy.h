// Cross-entropy of logits and class indices, without gradients: softmax and negative log-likelihood
// in one, so that nothing overflows and no probability is stored.
//
// With p = softmax(x) of row x (K) and its label t, and smoothing e (Szegedy et al. 2016,
// arXiv 1512.00567, section 7), q[k] = (1 - e) [k = t] + e / K is the target distribution and
//     loss = -sum q[k] log p[k] = log sum e^x - (1 - e) x[t] - e / K sum x[k],
// averaged over the rows whose label is not `ignore_index`. Where that is no row at all the mean is
// 0 / 0: NaN.
//
// logits (N, K) of f32, f64 or bf16; labels (N) of i64 in [0, K); losses and statistics in acc_t.
// Arguments are never written; deterministic, for any number of threads.
// A row that counts and holds NaN or +inf, or nothing but -inf, makes the loss NaN.
// Errors: undefined tensors, shapes or dtypes that do not fit, labels that are not i64, and a label
// out of range, which on the CPU throws and on CUDA, where nothing is read back, makes the loss and
// every gradient NaN. So it is with labels of the gradient that are out of range where those of the
// forward pass were not; on CUDA the gradient of their rows is NaN.
#pragma once

#include "tensor/tensor.h"

namespace imago::kernels {

struct CrossEntropyOptions {
  double label_smoothing = 0;        // in [0, 1]
  std::int64_t ignore_index = -100;  // rows with this label do not count
};

struct CrossEntropyResult {
  Tensor loss;        // (), acc_t
  Tensor statistics;  // (2, N): the largest logit of each row, and log sum e^(x - largest)
  Tensor weights;     // (N): 1 / number of rows that count, 0 for the others
};

CrossEntropyResult cross_entropy(const Tensor& logits, const Tensor& labels,
                                 const CrossEntropyOptions& options = {});

// The gradient with respect to the logits, of their shape and dtype: dy weight (p - q), with
// statistics and weights of the forward pass. dy () of acc_t.
Tensor cross_entropy_grad(const Tensor& dy, const Tensor& logits, const Tensor& labels,
                          const CrossEntropyResult& forward,
                          const CrossEntropyOptions& options = {});

// The specification: the loss () and its gradient (N, K), class after class in f64, on the CPU;
// logits f64, labels in range.
struct CrossEntropyValues {
  Tensor loss, dx;
};
CrossEntropyValues cross_entropy_reference(const Tensor& logits, const Tensor& labels,
                                           const CrossEntropyOptions& options = {});

}  // namespace imago::kernels
