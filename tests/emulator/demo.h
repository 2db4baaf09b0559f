// Kernels that show shared memory, barriers and vectors, for the tests of the emulator; nvcc
// compiles them too, as a proof that both understand the whole vocabulary.
#pragma once

#include "tensor/stream.h"

namespace imago::test {

// The barriers of a kernel can be left out, to see that the emulator finds out.
enum class Barriers { kept, left_out };

// out (size, size) = in (size, size) transposed; size is a multiple of 8.
void demo_transpose(Stream& stream, int size, const float* in, float* out, Barriers barriers);

// out (blocks) = the sums of 64 consecutive elements of in (64 * blocks).
void demo_sum(Stream& stream, int blocks, const float* in, float* out, Barriers barriers);

// out (4) = the elements at `column` .. `column + 3` of row 1 of a shared tile (4, 8) that holds
// 10 * row + column, moved as one float4; to global memory likewise.
void demo_vector(Stream& stream, int column, float* out);

}  // namespace imago::test
