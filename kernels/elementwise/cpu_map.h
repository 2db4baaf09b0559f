// The inner loops of unary.cpp, binary.cpp, cast.cpp, compare.cpp and where.cpp over contiguous
// elements, on one thread. They run in the best SIMD target of the machine, but for f64 arithmetic
// and wide integers; every target computes the same bits.
#pragma once

#include <cstdint>

#include "kernels/elementwise/compare.h"
#include "kernels/elementwise/formulas.h"
#include "tensor/dtype.h"

namespace imago::kernels {

// Which operands advance; the other one is a single element used for all.
enum class Operands { both, first_only, second_only };

// out[i] = formula(x[i], a, b), i in [0, n). out may be x.
void map_unary(Unary op, const float* x, float* out, std::int64_t n, float a, float b);
void map_unary(Unary op, const double* x, double* out, std::int64_t n, double a, double b);
void map_unary(Unary op, const bf16* x, bf16* out, std::int64_t n, float a, float b);

// out[i] = formula(x[i], y[i], a, b), i in [0, n). out may be x or y where that one advances.
// Functions that do not broadcast take Operands::both only.
void map_binary(Binary op, Operands operands, const float* x, const float* y, float* out,
                std::int64_t n, float a, float b);
void map_binary(Binary op, Operands operands, const double* x, const double* y, double* out,
                std::int64_t n, double a, double b);
void map_binary(Binary op, Operands operands, const bf16* x, const bf16* y, bf16* out,
                std::int64_t n, float a, float b);

// The same for each of `rows` rows of n elements in the result. Along a row one operand is a single
// element (`operands`, not both); from row to row they advance by x_step and y_step elements. Not
// for Binary::pow, whose loop wants a row of exponents.
void map_binary_rows(Binary op, Operands operands, const float* x, std::int64_t x_step,
                     const float* y, std::int64_t y_step, float* out, std::int64_t rows,
                     std::int64_t n, float a, float b);
void map_binary_rows(Binary op, Operands operands, const double* x, std::int64_t x_step,
                     const double* y, std::int64_t y_step, double* out, std::int64_t rows,
                     std::int64_t n, double a, double b);
void map_binary_rows(Binary op, Operands operands, const bf16* x, std::int64_t x_step,
                     const bf16* y, std::int64_t y_step, bf16* out, std::int64_t rows,
                     std::int64_t n, float a, float b);

// out[i] = x[i], rounded as bf16 rounds, i in [0, n).
void map_cast(const bf16* x, float* out, std::int64_t n);
void map_cast(const float* x, bf16* out, std::int64_t n);

// out[i] = compared(op, x[i], y[i]) as 0 or 1, of elements of any dtype, i in [0, n).
void map_compare(DType dtype, Comparison op, const void* x, const void* y, std::uint8_t* out,
                 std::int64_t n);

// out[i] = mask[i] != 0 ? x[i] : y[i], of elements of any dtype, i in [0, n).
void map_where(DType dtype, const std::uint8_t* mask, const void* x, const void* y, void* out,
               std::int64_t n);

}  // namespace imago::kernels
