// The inner loops of resampling, on one thread. Every SIMD target computes the same bits.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/dtype.h"

namespace imago::kernels {

// The ranges and weights of all places of the result along an axis.
template <class A>
struct GatherTable {
  std::size_t most;  // room for the weights of a place
  std::vector<std::int64_t> begin;
  std::vector<std::size_t> count;
  std::vector<A> weights;
};

// sums[i] = the sum over k < count of weights[k] * x[k * pitch + i], i < n; count >= 1.
void blend_rows(const float* x, std::int64_t pitch, const float* weights, std::size_t count,
                std::int64_t n, float* sums);
void blend_rows(const double* x, std::int64_t pitch, const double* weights, std::size_t count,
                std::int64_t n, double* sums);
void blend_rows(const bf16* x, std::int64_t pitch, const float* weights, std::size_t count,
                std::int64_t n, float* sums);

// A row of the result (places, channels) from x (width, channels).
void blend_columns(const float* x, const GatherTable<float>& table, std::int64_t channels,
                   float* out);
void blend_columns(const double* x, const GatherTable<double>& table, std::int64_t channels,
                   double* out);
void blend_columns(const float* x, const GatherTable<float>& table, std::int64_t channels,
                   bf16* out);

}  // namespace imago::kernels
