// The instructions that CUDA C++ has no words for, each with a twin under emulation.
//
// Asynchronous copies (sm_80). A copy from global to shared memory that needs no registers and
// that the thread does not wait for, until it says so.
//   cp_async(to, from)                 starts a copy of sizeof(*to) = 4, 8 or 16 bytes from global
//                                      memory to shared; both addresses are multiples of that.
//                                      tile.pointer_to<float4>(i, j) gives `to`, checked
//   cp_async(to, from, source_bytes)   reads only the first source_bytes and fills up with zeros;
//                                      with 0 `from` is not read
//   cp_async_commit()                  closes a group: this thread's copies since the last one
//   cp_async_wait<newest>()            waits for all groups of this thread but the `newest` last
//   cp_async_wait_all()                waits for all copies of this thread
// What a thread copied it may read after its wait; the others of the block after a barrier that
// follows the wait. Until then the destination holds garbage (NaN under emulation).
//
// Named barriers, for warps that do different work. `id` is 1 to 15 (0 is __syncthreads), and
// `threads`, a multiple of 32, says how many must come before anybody goes on.
//   named_barrier_sync(id, threads)    comes and waits
//   named_barrier_arrive(id, threads)  comes and goes on
//
// Matrices, by all 32 lanes of a warp together. A matrix of ldmatrix has 8 rows of 8 bf16.
//   ldmatrix(fragments, row)             loads count = 1, 2 or 4 matrices from shared memory into
//   ldmatrix_transposed(fragments, row)  fragments[count]. Lane 8 m + r gives the address of row r
//                                        of matrix m, a multiple of 16 bytes; the addresses of
//                                        lanes from 8 count on are not used
//   to_tf32(x)                           x with 10 bits of mantissa, to nearest, ties away from 0
//   mma_m16n8k8_tf32(d, a, b)            d (16, 8) += a (16, 8) b (8, 8); a and b from to_tf32
//   mma_m16n8k16_bf16(d, a, b)           d (16, 8) += a (16, 16) b (16, 8); two bf16 in each word
// Who holds what, with row = lane / 4 and column = lane % 4:
//   d[i], f32             (row + 8 (i / 2), 2 column + i % 2)
//   a[i], tf32            (row + 8 (i % 2), column + 4 (i / 2))
//   b[i], tf32            (column + 4 i, row)
//   a[i], bf16 half j     (row + 8 (i % 2), 2 column + 8 (i / 2) + j)
//   b[i], bf16 half j     (2 column + 8 i + j, row)
//   fragments[m], half j  (row, 2 column + j) of matrix m; transposed: (2 column + j, row)
// A GPU adds the products of an mma in an order and with a rounding of its own; the twin adds them
// one by one, in f32. Both are exact where every partial sum is.
#pragma once

#include "kernels/launch.h"

#if !defined(__CUDACC__)
#include "kernels/emulator/ptx.h"
#else

namespace imago::kernels {

__device__ inline unsigned shared_address(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

template <class V, class T>
__device__ void cp_async(V* to, const T* from, int source_bytes = sizeof(V)) {
  static_assert(sizeof(V) == 4 || sizeof(V) == 8 || sizeof(V) == 16);
  if constexpr (sizeof(V) == 16) {  // the only size that can pass by the L1 cache
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)),
                 "l"(from), "r"(source_bytes)
                 : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(to)),
                 "l"(from), "n"(sizeof(V)), "r"(source_bytes)
                 : "memory");
  }
}

__device__ inline void cp_async_commit() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}

template <int newest>
__device__ void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(newest) : "memory");
}

__device__ inline void cp_async_wait_all() {
  asm volatile("cp.async.wait_all;" ::: "memory");
}

__device__ inline void named_barrier_sync(int id, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

__device__ inline void named_barrier_arrive(int id, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

__device__ inline void ldmatrix(unsigned (&r)[1], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];"
               : "=r"(r[0])
               : "r"(shared_address(row))
               : "memory");
}
__device__ inline void ldmatrix(unsigned (&r)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(shared_address(row))
               : "memory");
}
__device__ inline void ldmatrix(unsigned (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}

__device__ inline void ldmatrix_transposed(unsigned (&r)[1], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];"
               : "=r"(r[0])
               : "r"(shared_address(row))
               : "memory");
}
__device__ inline void ldmatrix_transposed(unsigned (&r)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(shared_address(row))
               : "memory");
}
__device__ inline void ldmatrix_transposed(unsigned (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}

__device__ inline unsigned to_tf32(float x) {
  unsigned bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
}

__device__ inline void mma_m16n8k8_tf32(float (&d)[4], const unsigned (&a)[4],
                                        const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ inline void mma_m16n8k16_bf16(float (&d)[4], const unsigned (&a)[4],
                                         const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

}  // namespace imago::kernels
#endif
