// The engines behind gather.h. Arguments are validated, but for the values of indices on a CUDA
// device, and have elements; out is a fresh tensor that holds garbage and is overwritten whole.
// CUDA engines put their work into current_stream() and wait for nothing.
#pragma once

#include "tensor/tensor.h"

namespace imago::kernels {

// x (outer, extent, inner), `picks` indices: for each (o, i) in gather and scatter_add, for all of
// them in index_select and index_add. The other tensor is (outer, picks, inner).
struct Picks {
  std::int64_t outer, extent, inner, picks;
};

// The arguments of an operation, checked: how it sees its tensors, and the shape of its result.
struct PickPlan {
  Picks picks;
  Shape out;
};
PickPlan plan_index_select(const Tensor& x, int axis, const Tensor& indices);
PickPlan plan_index_add(const Tensor& x, int axis, const Tensor& indices, std::int64_t extent);
PickPlan plan_gather(const Tensor& x, int axis, const Tensor& indices);
PickPlan plan_scatter_add(const Tensor& x, int axis, const Tensor& indices, std::int64_t extent);

// Throws, naming the first index outside of [0, extent), its position and what it is `of`;
// `indices` are on the CPU.
void check_indices(const char* op, const Tensor& indices, std::int64_t extent, const char* of);

// cpu_direct.cpp
void index_select_direct(const Picks& p, const Tensor& x, const Tensor& indices, Tensor& out);
void index_add_direct(const Picks& p, const Tensor& x, const Tensor& indices, Tensor& out);
// Returns whether every index was inside.
bool gather_direct(const Picks& p, const Tensor& x, const Tensor& indices, Tensor& out);
void scatter_add_direct(const Picks& p, const Tensor& x, const Tensor& indices, Tensor& out);

// gather_1_words.cu
void index_select_words(const Picks& p, const Tensor& x, const Tensor& indices, Tensor& out);
void gather_words(const Picks& p, const Tensor& x, const Tensor& indices, Tensor& out);
void one_hot_words(const Tensor& labels, Tensor& out);
// index_add_1_lists.cu
void index_add_lists(const Picks& p, const Tensor& x, const Tensor& indices, Tensor& out);
// scatter_add_1_columns.cu
void scatter_add_columns(const Picks& p, const Tensor& x, const Tensor& indices, Tensor& out);

}  // namespace imago::kernels
