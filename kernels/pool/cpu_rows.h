// The inner loops of pooling: one row of the result, on one thread. Every SIMD target computes the
// same bits.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/parallel.h"
#include "tensor/dtype.h"

namespace imago::kernels {

// What place `at` of the source gives to one place of the result along an axis: through which tap,
// and over how many pixels of this axis the mean of the window is.
struct PoolHit {
  std::int64_t at;
  int tap, pixels;
};

// Places first, first + period, ... of the result whose hits are alike: each those of the one
// before, moved on by `step`.
struct PoolRun {
  std::int64_t first, count;
};

// The hits of all places of the result along an axis, in the order in which they are summed.
struct PoolHits {
  std::vector<std::size_t> begin;  // of place i in `list`; one more at the end
  std::vector<PoolHit> list;
  std::size_t most = 0;       // of one place
  std::vector<PoolRun> runs;  // all places
  std::int64_t period = 1, step = 1;

  std::int64_t places() const { return static_cast<std::int64_t>(begin.size()) - 1; }
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

// How the pixels of a vector are chosen among the lanes of two; made when it is first used.
struct PoolTable {
  std::int32_t index[16] = {};  // as many lanes as a vector of any target has
  int pixels = -1;              // 0 if none fits
};

// Elements to keep for pixels that vectors move: they reach past the last one.
constexpr std::int64_t row_room(std::int64_t pixels, std::int64_t channels) {
  return pixels * channels + 16;
}

// What one thread keeps from row to row.
template <class T>
struct PoolScratch {
  std::vector<PoolTerm<T>> terms;  // room for those of a pixel
  std::vector<T> pixels;           // moved together
  PoolTable table;
};

template <class T>
struct PoolRow {
  const T* source;  // (height, source_width, channels), one image
  std::int64_t source_size;
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
  PoolScratch<T>* scratch;
};

void pool_row(PoolOp op, const PoolRow<float>& row);
void pool_row(PoolOp op, const PoolRow<double>& row);
void pool_row(PoolOp op, const PoolRow<bf16>& row);

}  // namespace imago::kernels
