// What the optimisers share: the check of their lists and the pass over memory.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "kernels/optimizer/formulas.h"
#include "tensor/tensor.h"

namespace imago::kernels {

inline constexpr int most_written = 4;  // arrays of a formula

struct NamedList {
  const char* name;  // of an entry: "parameter"
  std::span<const Tensor> tensors;
};

// Throws, naming `op`, unless the lists are equally long, entries i have one shape, and all tensors
// one device and one dtype, f32 or f64. The first list is the one that the others are held to.
void require_lists(const char* op, std::initializer_list<NamedList> lists);

// Throws, naming `op`, unless `slots` is (count,) f32 or f64 on `device`. Returns them in f64.
Tensor wide_slots(const char* op, const Tensor& slots, std::int64_t count, Device device);

// The arrays that a formula works on: lists of equal lengths, checked. `read` is empty where it
// reads none.
struct Lists {
  std::vector<std::span<Tensor>> written;
  std::span<const Tensor> read;
};

// Runs a formula over every element of the lists, on their device. slots is f64 on that device.
void update(const char* op, const Lists& lists, const Tensor& slots, const Formula<float>& formula);
void update(const char* op, const Lists& lists, const Tensor& slots,
            const Formula<double>& formula);

// A contiguous piece of the arrays of one tensor.
template <class T>
struct Slice {
  T* written[most_written];
  const T* read;
  std::int64_t n;
};

// cpu_update.cpp: the inner loop, on one thread; the formula has read its slots.
void update_slice(const Formula<float>& formula, const Slice<float>& slice);
void update_slice(const Formula<double>& formula, const Slice<double>& slice);

// update_1_multi_tensor.cu.
void update_cuda(const char* op, const Lists& lists, const Tensor& slots,
                 const Formula<float>& formula);
void update_cuda(const char* op, const Lists& lists, const Tensor& slots,
                 const Formula<double>& formula);

// A chunk of global_norm, and its accumulators.
inline constexpr std::int64_t norm_chunk = 16384;
inline constexpr std::int64_t norm_accumulators = 1024;

// cpu_update.cpp: the sum of squares of at most norm_chunk elements, on one thread.
double sum_of_squares(const float* x, std::int64_t n);
double sum_of_squares(const double* x, std::int64_t n);

// global_norm_1_chunks.cu: global_norm into norm (), and into factor (1,) f64, unless undefined,
// what clip_norm multiplies by, limit (1,) f64 being max_norm. `chunks` is their number in all
// tensors.
void global_norm_cuda(std::span<const Tensor> tensors, std::int64_t chunks, const Tensor& limit,
                      Tensor& norm, Tensor& factor);

// The factor, of a norm.
IMAGO_HOST_DEVICE inline double clip_factor(double norm, double max_norm) {
  const double factor = max_norm / (norm + 1e-6);
  return factor >= 1 ? 1.0 : factor;  // NaN stays
}

}  // namespace imago::kernels
