// The inner loops of elementwise.cpp over contiguous elements, on one thread. f32 runs in the best
// SIMD target of the machine; every target computes the same bits.
#pragma once

#include <cstdint>

#include "kernels/elementwise/formulas.h"
#include "tensor/dtype.h"

namespace imago::kernels {

// Which operands advance; the other one is a single element used for all.
enum class Operands { both, first_only, second_only };

// out[i] = formula(x[i], a), i in [0, n). out may be x.
void map_unary(Unary op, const float* x, float* out, std::int64_t n, float a);
void map_unary(Unary op, const double* x, double* out, std::int64_t n, double a);
void map_unary(Unary op, const bf16* x, bf16* out, std::int64_t n, float a);

// out[i] = formula(x[i], y[i], a), i in [0, n). out may be x or y where that one advances.
void map_binary(Binary op, Operands operands, const float* x, const float* y, float* out,
                std::int64_t n, float a);
void map_binary(Binary op, Operands operands, const double* x, const double* y, double* out,
                std::int64_t n, double a);
void map_binary(Binary op, Operands operands, const bf16* x, const bf16* y, bf16* out,
                std::int64_t n, float a);

}  // namespace imago::kernels
