// Labels as rows of one 1 and zeros: a constant, as those of compare.h are.
#pragma once

#include <cstdint>

#include "autograd/var.h"
#include "kernels/gather/gather.h"

namespace imago::ops {

// labels (...) of i64 in [0, classes) -> (..., classes) of any `dtype`: 1 at the label, else 0. A
// label out of range throws on the CPU; on CUDA every byte of its row is 0xff, NaN in floating
// types. ops::argmax(rows, -1) gives the labels back.
inline Tensor one_hot(const Var& labels, std::int64_t classes, DType dtype = DType::f32) {
  return kernels::one_hot(labels.tensor(), classes, dtype);
}

}  // namespace imago::ops
