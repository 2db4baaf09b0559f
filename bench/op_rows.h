// The rows of bench_ops: one memory-bound kernel each, with its operands and how to verify it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace imago::bench {

struct Row {
  std::string name;
  double bytes;                // that must move at least
  std::vector<Tensor> inputs;  // on the CPU; never written, copies are
  // Runs on the device of its inputs, may write them, and returns the results.
  std::function<std::vector<Tensor>(std::vector<Tensor>& inputs)> run;
  // Whether results, now on the CPU, are those of the reference in f64 within tolerance.h.
  std::function<bool(const std::vector<Tensor>& results)> right;
  double flops = 0;         // of fused multiply-adds, where they may bind
  double instructions = 0;  // of other arithmetic, where that may; see op_arithmetic.h
};

// The rows of all families. Operands are of `dtype`, f32 or bf16, except for what is f32 always:
// those of optimisers, and statistics. The largest operand of a row has `megabytes` MiB; in batch
// norm, at the layers of DCGAN, the batch is 4 * megabytes (32: DCGAN's 128).
std::vector<Row> op_rows(DType dtype, int megabytes);

// Those of one family, part of op_rows; each is in op_rows_<family>.cpp.
// Comparisons and where.
std::vector<Row> choice_rows(DType dtype, int megabytes);
// permute, concat, slice, embedding, gather and batched gemm.
std::vector<Row> index_rows(DType dtype, int megabytes);
// Optimisers, the moving average and clipping of gradients, on one f32 parameter of `numel`.
std::vector<Row> optimizer_rows(std::int64_t numel);
// Reductions, softmax, cross-entropy, layer and group norm.
std::vector<Row> reduction_rows(DType dtype, int megabytes);
// Operations on images, of which the larger side has `megabytes` MiB.
std::vector<Row> spatial_rows(DType dtype, int megabytes);

}  // namespace imago::bench
