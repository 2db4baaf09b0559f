// The rows of bench_ops: one memory-bound kernel each, with its operands and how to verify it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tensor/tensor.h"

namespace imago::bench {

struct Row {
  double bytes;                // that must move at least
  std::vector<Tensor> inputs;  // on the CPU; never written, copies are
  // Runs on the device of its inputs, may write them, and returns the results.
  std::function<std::vector<Tensor>(std::vector<Tensor>& inputs)> run;
  // Whether results, now on the CPU, are those of the reference in f64 within tolerance.h.
  std::function<bool(const std::vector<Tensor>& results)> right;
  double flops = 0;         // of fused multiply-adds, where they may bind
  double instructions = 0;  // of other arithmetic, where that may; see op_arithmetic.h
  std::string name{};       // RowList::add writes it
};

// The rows whose names are wanted. Others are never made: their operands and what they are compared
// with take longer than all other preparations.
class RowList {
 public:
  using Wanted = std::function<bool(const std::string& name)>;
  explicit RowList(Wanted wanted) : wanted_(std::move(wanted)) {}

  // Calls make() at once, or never.
  void add(const std::string& name, const std::function<Row()>& make) {
    if (!wanted_(name)) return;
    rows_.push_back(make());
    rows_.back().name = name;
  }
  std::vector<Row> take() { return std::move(rows_); }

 private:
  Wanted wanted_;
  std::vector<Row> rows_;
};

// The rows of all families. Operands are of `dtype`, f32 or bf16, except for what is f32 always:
// those of optimisers, and statistics. The largest operand of a row has `megabytes` MiB; in batch
// norm, at the layers of DCGAN, the batch is 4 * megabytes (32: DCGAN's 128).
std::vector<Row> op_rows(DType dtype, int megabytes, const RowList::Wanted& wanted);

// Those of one family, part of op_rows; each is in op_rows_<family>.cpp.
// Comparisons and where.
void add_choice_rows(DType dtype, int megabytes, RowList& rows);
// permute, concat, slice, embedding, gather and batched gemm.
void add_index_rows(DType dtype, int megabytes, RowList& rows);
// Tensors made of little: random numbers, constants, other dtypes, one_hot, repetitions.
void add_maker_rows(DType dtype, int megabytes, RowList& rows);
// Batch, layer, group and instance norm.
void add_norm_rows(DType dtype, int megabytes, RowList& rows);
// Optimisers, the moving average and clipping of gradients, on one f32 parameter of `numel`.
void add_optimizer_rows(std::int64_t numel, RowList& rows);
// Reductions, softmax and losses.
void add_reduction_rows(DType dtype, int megabytes, RowList& rows);
// Operations on images, of which the larger side has `megabytes` MiB.
void add_spatial_rows(DType dtype, int megabytes, RowList& rows);

}  // namespace imago::bench
