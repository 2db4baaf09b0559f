// Losses. Each is a scalar (), the mean over all elements, in f64 for f64 arguments and else f32.
// Those of GANs are in nn/gan_loss.h and nn/gradient_penalty.h.
#pragma once

#include "autograd/var.h"

namespace imago::loss {

// -[t log s(x) + (1 - t) log(1 - s(x))], s the sigmoid, in the form that never overflows. logits
// and targets of one shape; targets in [0, 1].
Var bce_with_logits(const Var& logits, const Var& targets);
// The same target for all.
Var bce_with_logits(const Var& logits, double target);

// Cross-entropy of logits (N, K) and class indices (N) of i64 in [0, K): the mean over the rows of
// -log softmax(x)[label]. label_smoothing e in [0, 1] moves a share e of each label to all classes;
// rows labelled ignore_index do not count. A label out of range throws on the CPU and makes the
// loss NaN on CUDA. Labels in another type are refused: ops::cast(labels, DType::i64) makes indices
// of floats that hold them, ops::argmax(rows, -1) of one-hot rows.
struct CrossEntropyOptions {
  double label_smoothing = 0;
  std::int64_t ignore_index = -100;
};
Var cross_entropy(const Var& logits, const Var& labels, const CrossEntropyOptions& options = {});

// (a - b)^2 and |a - b|; a and b of one shape.
Var mse(const Var& a, const Var& b);
Var l1(const Var& a, const Var& b);

// Squared near 0 and linear beyond, so that outliers pull no harder than others; a and b of one
// shape, d = a - b.
//   huber:     |d| < delta ? d^2 / 2 : delta (|d| - delta / 2)        delta > 0
//   smooth_l1: |d| < beta ? d^2 / (2 beta) : |d| - beta / 2           beta >= 0; 0 is l1
// Huber 1964 (doi 10.1214/aoms/1177703732); Girshick 2015 (arXiv 1504.08083, eq. 3, with beta = 1).
Var huber(const Var& a, const Var& b, double delta = 1);
Var smooth_l1(const Var& a, const Var& b, double beta = 1);

}  // namespace imago::loss
