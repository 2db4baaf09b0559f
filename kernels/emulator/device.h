// The vocabulary of kernels/launch.h under emulation. Included by launch.h when the compiler is
// not nvcc; needs no CUDA toolkit.
#pragma once

#include <cmath>
#include <source_location>
#include <type_traits>
#include <utility>

#include "kernels/emulator/atomics.h"
#include "kernels/emulator/barrier.h"
#include "kernels/emulator/math.h"
#include "kernels/emulator/shared_memory.h"
#include "kernels/emulator/tile.h"
#include "kernels/emulator/types.h"
#include "kernels/emulator/warp_functions.h"

#if !defined(IMAGO_SM)
#define IMAGO_SM 90
#endif

inline void __syncthreads(std::source_location place = std::source_location::current()) {
  imago::emulator::sync_block("__syncthreads", false, place);
}
inline int __syncthreads_count(int predicate,
                               std::source_location place = std::source_location::current()) {
  return imago::emulator::sync_block("__syncthreads_count", predicate != 0, place);
}
inline int __syncthreads_and(int predicate,
                             std::source_location place = std::source_location::current()) {
  return imago::emulator::sync_block("__syncthreads_and", predicate == 0, place) == 0;
}
inline int __syncthreads_or(int predicate,
                            std::source_location place = std::source_location::current()) {
  return imago::emulator::sync_block("__syncthreads_or", predicate != 0, place) != 0;
}
// The emulator has one memory, which every thread sees at once.
inline void __threadfence() {}
inline void __threadfence_block() {}

namespace imago::kernels {

inline constexpr bool device_is_emulated = true;

using emulator::Tile;
using std::fma;

template <class Block>
Block& shared() {
  static_assert(alignof(Block) <= emulator::shared_type<Block>.alignment);
  return *static_cast<Block*>(emulator::shared_memory(emulator::shared_type<Block>));
}

inline void grid_sync(std::source_location place = std::source_location::current()) {
  emulator::sync_grid(place);
}

template <class V, class T>
V load_as(const T* pointer) {
  static_assert(std::is_trivially_copyable_v<V> && sizeof(V) % sizeof(T) == 0);
  emulator::check_aligned<V>(pointer, "a load");
  return *reinterpret_cast<const V*>(pointer);
}

template <class V, class T>
void store_as(T* pointer, const V& value) {
  static_assert(std::is_trivially_copyable_v<V> && sizeof(V) % sizeof(T) == 0);
  emulator::check_aligned<V>(pointer, "a store");
  *reinterpret_cast<V*>(pointer) = value;
}

template <auto kernel, class... Args>
emulator::Launch launch_of(dim3 grid, dim3 block, std::size_t shared_bytes, Args... args) {
  static_assert((std::is_trivially_copyable_v<Args> && ...));
  static_assert((sizeof(Args) + ... + 0) <= 4096, "CUDA passes no more to a kernel");
  static const std::string name = kernel_name<kernel>();
  return {name,
          grid,
          block,
          shared_bytes,
          [=] { kernel(args...); },
          emulator::ScheduleScope::current()};
}

template <auto kernel, class... Args>
void launch(Stream& stream, dim3 grid, dim3 block, std::size_t shared_bytes, Args... args) {
  emulator::launch(stream, launch_of<kernel>(grid, block, shared_bytes, args...));
}

template <auto kernel, class... Args>
void launch_cooperative(Stream& stream, dim3 grid, dim3 block, std::size_t shared_bytes,
                        Args... args) {
  emulator::Launch launch = launch_of<kernel>(grid, block, shared_bytes, args...);
  launch.cooperative = true;
  emulator::launch(stream, std::move(launch));
}

}  // namespace imago::kernels
