// Binary cross-entropy of logits, without gradients: the loss of the original GAN discriminator
// (Goodfellow et al. 2014, eq. 1) in the form that never overflows.
//
// logits and targets (any shape, the same): T of f32, f64, bf16; targets in [0, 1]. Arguments are
// never written; deterministic, for any number of threads. Errors: undefined or empty tensors,
// other dtypes, shapes or dtypes that differ.
#pragma once

#include "tensor/tensor.h"

namespace imago::kernels {

// The mean over all elements of max(x, 0) - x t + log(1 + e^-|x|), a new scalar () of acc_t.
Tensor bce_with_logits(const Tensor& logits, const Tensor& targets);

// Its gradient with respect to the logits, of their shape and dtype: dy (sigmoid(x) - t) / n with n
// the number of elements. dy () of acc_t.
Tensor bce_with_logits_grad(const Tensor& dy, const Tensor& logits, const Tensor& targets);

// The specification: with s = sigmoid(x) the mean loss () of -t log s - (1 - t) log(1 - s) and its
// gradient for dy = 1, of the shape of the logits; element after element in f64, on the CPU; logits
// and targets f64, logits within +-700.
struct BceValues {
  Tensor loss, dx;
};
BceValues bce_with_logits_reference(const Tensor& logits, const Tensor& targets);

}  // namespace imago::kernels
