// Kernels that use the words of kernels/ptx.cuh; nvcc compiles them too.
#pragma once

#include "tensor/dtype.h"
#include "tensor/stream.h"

namespace imago::test {

// out (4, 32): the sums of neighbouring rows of in (5, 32), which come by copies
// of 4, 8 and 16 bytes to shared memory, two rows in flight: out(r, c) = in(r, c) + in(r + 1, c).
// A wait can be left out, to see that the emulator finds out.
enum class Waits { kept, left_out, one_too_few };
void demo_copies(Stream& stream, const float* in, float* out, Waits waits);

// out (4) = the first `count` <= 4 of in (count), then zeros.
void demo_zero_fill(Stream& stream, const float* in, int count, float* out);

// out (rounds, 32) = 2 * in (rounds, 32): one warp fetches, another computes, and they hand each
// other two buffers by named barriers.
void demo_handover(Stream& stream, int rounds, const float* in, float* out);

// d (16, 8) = a (16, 8) b (8, 8) + c (16, 8), operands rounded to tf32.
void demo_mma_tf32(Stream& stream, const float* a, const float* b, const float* c, float* d);

// d (16, 8) = a (16, 16) b (16, 8) + c (16, 8), fragments loaded by ldmatrix.
void demo_mma_bf16(Stream& stream, const bf16* a, const bf16* b, const float* c, float* d);

}  // namespace imago::test
