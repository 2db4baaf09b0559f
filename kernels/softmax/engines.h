// The engines behind softmax.h. Arguments are validated and not empty; results are allocated.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/softmax/softmax.h"

namespace imago::kernels {

// cpu_softmax.cpp, on one thread. With columns = 0, `rows` rows of `length` contiguous elements;
// else one matrix of `length` rows, `pitch` elements apart, of columns <= softmax_tile columns,
// each of which is a problem. `scratch` has softmax_scratch elements of acc_t.
constexpr std::int64_t softmax_tile = 64;
struct SoftmaxCall {
  Softmax op;
  DType dtype;
  const void *a, *b;  // b is a where it is not used
  void* out;
  std::int64_t rows, length, columns, pitch;
  void* scratch;
};
// Rows that are transposed need three tiles of 32 rows.
inline std::int64_t softmax_scratch(std::int64_t length, std::int64_t columns) {
  return columns > 0 ? length * softmax_tile : std::max(length, 3 * 32 * softmax_tile);
}
void run_softmax(const SoftmaxCall& call);

// On CUDA, x (outer, length, inner) along the middle axis: softmax_1_rows.cu for inner = 1,
// softmax_2_columns.cu for any.
void softmax_rows_cuda(Softmax op, const Tensor& a, const Tensor& b, std::int64_t rows,
                       std::int64_t length, Tensor& out);
void softmax_columns_cuda(Softmax op, const Tensor& a, const Tensor& b, std::int64_t outer,
                          std::int64_t length, std::int64_t inner, Tensor& out);

}  // namespace imago::kernels
