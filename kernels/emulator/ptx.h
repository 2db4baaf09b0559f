// The emulated twins of kernels/ptx.cuh, where they are documented.
#pragma once

#include <bit>
#include <source_location>

#include "kernels/emulator/async_copy.h"
#include "kernels/emulator/barrier.h"
#include "kernels/emulator/warp.h"

namespace imago::emulator {

// Loads `count` matrices for the calling lane: see kernels/ptx.cuh.
void load_matrices(const char* word, int count, bool transposed, unsigned* fragments,
                   const void* row, const std::source_location& place);

enum class MatrixKind { tf32, bf16 };

// d (16, 8) += a (16, 8 or 16) b (8 or 16, 8), each element summed in the order of k.
void multiply_matrices(const char* word, MatrixKind kind, float* d, const unsigned* a,
                       const unsigned* b, const std::source_location& place);

}  // namespace imago::emulator

namespace imago::kernels {

template <class V, class T>
void cp_async(V* to, const T* from, int source_bytes = sizeof(V)) {
  static_assert(sizeof(V) == 4 || sizeof(V) == 8 || sizeof(V) == 16);
  emulator::async_copy(to, from, sizeof(V), source_bytes);
}

inline void cp_async_commit() {
  emulator::async_commit();
}

template <int newest>
void cp_async_wait() {
  static_assert(newest >= 0);
  emulator::async_wait(newest);
}

inline void cp_async_wait_all() {
  emulator::async_wait_all();
}

inline void named_barrier_sync(int id, int threads,
                               std::source_location place = std::source_location::current()) {
  emulator::sync_named(id, threads, place);
}

inline void named_barrier_arrive(int id, int threads,
                                 std::source_location place = std::source_location::current()) {
  emulator::arrive_named(id, threads, place);
}

template <int count>
void ldmatrix(unsigned (&fragments)[count], const void* row,
              std::source_location place = std::source_location::current()) {
  static_assert(count == 1 || count == 2 || count == 4);
  emulator::load_matrices("ldmatrix", count, false, fragments, row, place);
}

template <int count>
void ldmatrix_transposed(unsigned (&fragments)[count], const void* row,
                         std::source_location place = std::source_location::current()) {
  static_assert(count == 1 || count == 2 || count == 4);
  emulator::load_matrices("ldmatrix_transposed", count, true, fragments, row, place);
}

// NaN and infinities stay what they are; a NaN loses its payload.
inline unsigned to_tf32(float x) {
  const auto bits = std::bit_cast<unsigned>(x);
  const unsigned magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return 0x7fffe000u;
  if (magnitude == 0x7f800000u) return bits;
  return (bits + 0x1000u) & ~0x1fffu;
}

inline void mma_m16n8k8_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2],
                             std::source_location place = std::source_location::current()) {
  emulator::multiply_matrices("mma_m16n8k8_tf32", emulator::MatrixKind::tf32, d, a, b, place);
}

inline void mma_m16n8k16_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2],
                              std::source_location place = std::source_location::current()) {
  emulator::multiply_matrices("mma_m16n8k16_bf16", emulator::MatrixKind::bf16, d, a, b, place);
}

}  // namespace imago::kernels
