// The CUDA kernels behind reduce.h. Arguments are validated, on the device and not empty; `out`
// holds garbage and is overwritten whole. Work is put into current_stream().
#pragma once

#include "kernels/reduce/fold.h"
#include "tensor/tensor.h"

namespace imago::kernels {

// sum_1_columns.cu: sums x (outer, rows, columns) over its middle axis into out (outer, columns),
// of the dtype of x or its acc_t. x in f32 may also give bf16: it then holds sums of bf16 numbers.
void sum_middle_cuda(const Tensor& x, std::int64_t outer, std::int64_t rows, std::int64_t columns,
                     Tensor& out);

// broadcast_1_repeat.cu: repeats x (outer, columns) into out (outer, rows, columns), of one dtype.
void repeat_middle_cuda(const Tensor& x, std::int64_t outer, std::int64_t rows,
                        std::int64_t columns, Tensor& out);

// fold_1_columns.cu: folds x (outer, rows, columns) of any dtype over its middle axis into out
// (outer, columns) of folded_t.
void fold_middle_cuda(Fold op, const Tensor& x, std::int64_t outer, std::int64_t rows,
                      std::int64_t columns, Tensor& out);

// argmax_1_columns.cu: where the largest of x (outer, rows, columns) is along the middle axis, into
// index (outer, columns) of i64.
void argmax_middle_cuda(const Tensor& x, std::int64_t outer, std::int64_t rows,
                        std::int64_t columns, Tensor& index);

}  // namespace imago::kernels
