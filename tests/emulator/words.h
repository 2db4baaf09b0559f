// Kernels that use the words of kernels/launch.h one by one, for the tests of the emulator; nvcc
// compiles them too, as a proof that both understand the whole vocabulary.
#pragma once

#include <cstdint>

#include "tensor/stream.h"

namespace imago::test {

// The functions between the lanes of a warp, in this order.
enum WarpWord {
  shfl,             // of lane 5
  shfl_segment,     // of lane + 1 in segments of 8
  shfl_up,          // by 3
  shfl_up_segment,  // by 3 in segments of 16
  shfl_down,        // by 4
  shfl_down_segment,
  shfl_xor,          // with 5
  shfl_xor_segment,  // with 12 in segments of 8
  shfl_half,         // among lanes 0 to 15 the value of 15; among the others that of 16
  shfl_float,        // of lane 9, of 0.5 * value
  shfl_double,
  shfl_long,   // of lane 9, of value << 40, shifted back
  ballot,      // value odd
  any,         // value == 7
  all,         // value >= 0
  match_any,   // value % 3
  reduce_add,  // signed
  reduce_min,  // signed
  reduce_max,  // unsigned
  reduce_and,
  reduce_or,
  reduce_xor,
  active_mask,  // 1 if the caller is in it
  warp_words
};
constexpr int warp_threads = 64;
// in (64), out (warp_words, 64)
void demo_warp(Stream& stream, const int* in, int* out);

// out (3, 64) = the number of odd values of in (64), whether all are odd, whether any is.
void demo_votes(Stream& stream, const int* in, int* out);

// out (12): what stands in 12 counters after 256 threads applied add, sub, min, max, and, or, xor,
// exch, cas, inc and dec to them; the last is an unsigned long long sum, cut to 32 bits.
constexpr int atomic_counters = 12;
void demo_atomics(Stream& stream, unsigned* out);

// The number of values of in (64 * blocks) above 0, by blocks of 64 threads; the last block to
// finish adds up partial (blocks). *done is 0 before and after.
void demo_last_block(Stream& stream, int blocks, const int* in, unsigned* partial, unsigned* done,
                     unsigned* out);

// out (math_words): intrinsics applied to a (1) and b (1).
constexpr int math_words = 26;
void demo_math(Stream& stream, float x, unsigned a, unsigned b, std::uint64_t* out);

// out (blocks * 32) = the sums over the blocks of the numbers in (blocks * 32) with the same index
// in their block, added in three steps of a cooperative launch.
void demo_grid(Stream& stream, int blocks, const float* in, float* out);

}  // namespace imago::test
