// The vocabulary of kernel sources. A .cu file includes this header and is then compiled twice: by
// nvcc for the GPU (kernels/cuda/device.h) and by the C++ compiler for the emulator
// (kernels/emulator/device.h), which runs the same source thread by thread and checks it.
//
// Launching
//   launch<kernel>(stream, grid, block, shared_bytes, args...)
//       Puts a kernel into the stream. The kernel is a template argument, so that errors can name
//       it. shared_bytes is sizeof(Block), or 0. Arguments are trivially copyable. Errors of the
//       launch throw Error.
//   launch_cooperative<kernel>(stream, grid, block, shared_bytes, args...)
//       The same, but all blocks live at once and may wait for each other in grid_sync(). At most
//       64 blocks under emulation.
//
// Memory
//   auto& s = shared<Block>()
//       The shared memory of the thread block, seen as a struct of Tile members; a kernel uses one
//       Block type. Its contents start as garbage (NaN under emulation).
//   Tile<T, N...>
//       An array with N... extents, indexed as tile(i, j); the emulator checks every index.
//       tile.load_as<V>(i, j), tile.store_as(value, i, j) move a whole vector V along the last
//       extent; tile.pointer_to<V>(i, j) is its address.
//   load_as<V>(pointer), store_as(pointer, value)
//       One wide access to memory that must be aligned as V is: float4, Pack<T>.
//   __ldg, __threadfence(), __threadfence_block()
//   atomicAdd, Sub, Min, Max, And, Or, Xor, Exch, CAS, Inc, Dec on int, unsigned and
//       unsigned long long (as far as CUDA has them). None on floats: their sum would depend on
//       the order of the threads, and the emulator's headers do not compile it.
//
// Threads
//   threadIdx, blockIdx, blockDim, gridDim, warpSize, global_thread()
//   __syncthreads(), __syncthreads_count(p), __syncthreads_and(p), __syncthreads_or(p)
//       All threads of the block come to the same place; none has returned before.
//   __shfl_sync, __shfl_up_sync, __shfl_down_sync, __shfl_xor_sync, __ballot_sync, __any_sync,
//   __all_sync, __match_any_sync, __reduce_{add,min,max,and,or,xor}_sync, __syncwarp, __activemask
//       All lanes that the mask names come to the same place, with the same mask; none has
//       returned before. Only __syncwarp orders memory accesses. __activemask under emulation is
//       the caller alone.
//   Asynchronous copies, named barriers and matrix instructions: kernels/ptx.cuh.
//
// Values
//   float2, float4, double2, int2, int4, uint2, uint4, make_float2 ...; dim3; bf16x2 and Pack<T>;
//   bf16 and acc_t from tensor/dtype.h
//   fma, min, max, rsqrtf, __float_as_uint and its like, __fadd_rn and its like, __popc, __clz,
//   __ffs, __brev, __umulhi, __byte_perm ...: kernels/emulator/math.h has the list.
//   __global__, __device__, __launch_bounds__, __forceinline__, __restrict__
//   IMAGO_SM
//       The architecture device code is compiled for: 80, 90, ...; 0 in host code.
//
// Not to be used in a kernel source, and tests/structure/test_source_rules.cpp looks: <<<>>>,
// __shared__, CUB, cooperative groups, __CUDA_ARCH__, reinterpret_cast, calls of the CUDA runtime,
// asm outside kernels/ptx.cuh. A block never waits for another block, but in grid_sync. Products
// and sums round one by one (nvcc --fmad=false); write fma() where a fused one is wanted, so that
// both compilers agree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "tensor/dtype.h"
#include "tensor/error.h"
#include "tensor/stream.h"

namespace imago::kernels {

// The name of a kernel without its namespaces' noise: "conv2d_forward<float>".
template <auto kernel>
std::string kernel_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  const std::string_view key = "kernel = ";
  const auto start = text.find(key);
  if (start == std::string_view::npos) return std::string(text);
  text.remove_prefix(start + key.size());
  std::string name(text.substr(0, text.find_first_of(";]")));
  for (const std::string_view noise : {"imago::", "kernels::", "{anonymous}::", "& "}) {
    for (auto at = name.find(noise); at != std::string::npos; at = name.find(noise)) {
      name.erase(at, noise.size());
    }
  }
  return name;
}

}  // namespace imago::kernels

#if defined(__CUDACC__)
#include "kernels/cuda/device.h"
#else
#include "kernels/emulator/device.h"
#endif

namespace imago::kernels {

// n elements of T side by side, moved as one. By default sixteen bytes, the widest access a thread
// can make: four floats, two doubles, eight bf16. n * sizeof(T) is a power of two.
template <class T, int n = 16 / static_cast<int>(sizeof(T))>
struct alignas(n * sizeof(T) < 16 ? n * sizeof(T) : 16) Pack {
  static constexpr int lanes = n;
  T lane[lanes];
};

// Two bf16 in one word: the lower half is x.
struct alignas(4) bf16x2 {
  bf16 x, y;
};

// How many bytes a pointer lies past the last multiple of 16; for the host to choose a kernel.
inline std::size_t misalignment16(const void* pointer) {
  return static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(pointer) % 16);
}

// The index of this thread in a one-dimensional grid.
__device__ inline std::int64_t global_thread() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

// The one-dimensional grid of blocks of `block` threads that covers `count` > 0 threads.
inline dim3 grid_for(const char* op, std::int64_t count, int block) {
  const std::int64_t blocks = (count + block - 1) / block;
  check(count > 0 && blocks <= std::numeric_limits<std::int32_t>::max(), op, "cannot launch ",
        count, " threads in blocks of ", block);
  return dim3(static_cast<unsigned>(blocks));
}

}  // namespace imago::kernels
