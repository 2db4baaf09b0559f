// The inner loops of pooling: one row of the result, on one thread. Every SIMD target computes the
// same bits.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/dtype.h"

namespace imago::kernels {

// What place `at` of the source gives to one place of the result along an axis: through which tap,
// and over how many pixels of this axis the mean of the window is.
struct PoolHit {
  std::int64_t at;
  int tap, pixels;
};

// The hits of all places of the result along an axis, in the order in which they are summed.
struct PoolHits {
  std::vector<std::size_t> begin;  // of place i in `list`; one more at the end
  std::vector<PoolHit> list;
  std::size_t most = 0;  // of one place
};

enum class PoolOp {
  max,       // source x, result y and taps
  max_grad,  // source dy and taps, result dx
  pick,      // source x, taps beside the result y
  avg,       // source x, result y
  avg_grad,  // source dy, result dx
};

// One term of every channel of a pixel.
template <class T>
struct PoolTerm {
  const T* source;
  int tap;
  acc_t<T> share;
};

template <class T>
struct PoolRow {
  const T* source;      // (height, source_width, channels), one image
  const PoolHit* rows;  // of this row of the result
  std::size_t row_count;
  const PoolHits* columns;
  std::int64_t source_width, channels;
  int kernel_w;
  int window;  // avg: the pixels a mean is over, 0: those in the image
  T* out;      // (width, channels)
  // Taps are u8, or i32 if `wide`: of the source's image, beside the result, or to be written (may
  // be null).
  bool wide;
  const void* taps;
  void* new_taps;
  PoolTerm<T>* terms;  // room for those of a pixel
};

void pool_row(PoolOp op, const PoolRow<float>& row);
void pool_row(PoolOp op, const PoolRow<double>& row);
void pool_row(PoolOp op, const PoolRow<bf16>& row);

}  // namespace imago::kernels
