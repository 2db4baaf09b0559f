// The vocabulary of kernels/launch.h on a real GPU. Included by launch.h under nvcc only.
#pragma once

#include <cooperative_groups.h>
#include <cuda_runtime.h>

#include <type_traits>

#include "tensor/cuda/runtime.h"

#if defined(__CUDA_ARCH__)
#define IMAGO_SM (__CUDA_ARCH__ / 10)
#else
#define IMAGO_SM 0
#endif

namespace imago::kernels {

inline constexpr bool device_is_emulated = false;

// One untyped array stands behind every shared<Block>(): nvcc takes no template here. 1024 bytes
// is the strictest alignment that swizzled shared memory asks for.
extern __shared__ __align__(1024) unsigned char shared_bytes_of_block[];

template <class Block>
__device__ Block& shared() {
  static_assert(std::is_trivially_default_constructible_v<Block>, "no constructor runs here");
  static_assert(sizeof(Block) <= 227 * 1024, "no GPU has so much shared memory");
  return *reinterpret_cast<Block*>(shared_bytes_of_block);
}

template <class V, class T>
__device__ V load_as(const T* pointer) {
  return *reinterpret_cast<const V*>(pointer);
}

template <class V, class T>
__device__ void store_as(T* pointer, const V& value) {
  *reinterpret_cast<V*>(pointer) = value;
}

template <class T, int... extents>
class Tile {
 public:
  template <class... Index>
  __device__ T& operator()(Index... index) {
    return data_[offset(index...)];
  }
  template <class... Index>
  __device__ const T& operator()(Index... index) const {
    return data_[offset(index...)];
  }
  template <class V, class... Index>
  __device__ V load_as(Index... index) const {
    return kernels::load_as<V>(data_ + offset(index...));
  }
  template <class V, class... Index>
  __device__ void store_as(const V& value, Index... index) {
    kernels::store_as(data_ + offset(index...), value);
  }
  template <class V, class... Index>
  __device__ V* pointer_to(Index... index) {
    return reinterpret_cast<V*>(data_ + offset(index...));
  }

 private:
  template <class... Index>
  __device__ static int offset(Index... index) {
    static_assert(sizeof...(Index) == sizeof...(extents));
    int flat = 0;
    ((flat = flat * extents + static_cast<int>(index)), ...);
    return flat;
  }

  alignas(16) T data_[(extents * ...)];
};

__device__ inline void grid_sync() {
  cooperative_groups::this_grid().sync();
}

// Lets a kernel use more shared memory than every GPU gives unasked.
template <auto kernel>
void allow_shared(const std::string& name, std::size_t bytes) {
  if (bytes <= 48 * 1024) return;
  check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  static_cast<int>(bytes)),
             name.c_str());
}

template <auto kernel, class... Args>
void launch(Stream& stream, dim3 grid, dim3 block, std::size_t shared_bytes, Args... args) {
  static_assert((std::is_trivially_copyable_v<Args> && ...));
  static_assert((sizeof(Args) + ... + 0) <= 4096, "CUDA passes no more to a kernel");
  static const std::string name = kernel_name<kernel>();
  allow_shared<kernel>(name, shared_bytes);
  kernel<<<grid, block, shared_bytes, stream.impl().stream>>>(args...);
  check_cuda(cudaGetLastError(), name.c_str());
}

template <auto kernel, class... Args>
void launch_cooperative(Stream& stream, dim3 grid, dim3 block, std::size_t shared_bytes,
                        Args... args) {
  static_assert((std::is_trivially_copyable_v<Args> && ...));
  static_assert((sizeof(Args) + ... + 0) <= 4096, "CUDA passes no more to a kernel");
  static const std::string name = kernel_name<kernel>();
  allow_shared<kernel>(name, shared_bytes);
  cudaLaunchAttribute cooperative{};
  cooperative.id = cudaLaunchAttributeCooperative;
  cooperative.val.cooperative = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream.impl().stream;
  config.attrs = &cooperative;
  config.numAttrs = 1;
  check_cuda(cudaLaunchKernelEx(&config, kernel, args...), name.c_str());
}

}  // namespace imago::kernels
