// The vocabulary of kernels/launch.h under emulation. Included by launch.h when the compiler is
// not nvcc; needs no CUDA toolkit.
#pragma once

#include <cmath>
#include <new>
#include <source_location>
#include <type_traits>

#include "kernels/emulator/tile.h"
#include "kernels/emulator/types.h"

#if !defined(IMAGO_SM)
#define IMAGO_SM 90
#endif

inline void __syncthreads(const std::source_location& place = std::source_location::current()) {
  imago::emulator::barrier(place);
}

namespace imago::kernels {

using emulator::Tile;
using std::fma;

template <class Block>
Block& shared() {
  // 1024 bytes as on the GPU, so that an address means the same in both.
  static_assert(alignof(Block) <= 1024);
  static const emulator::SharedType type{
      sizeof(Block), 1024, &typeid(Block), [](void* memory) { ::new (memory) Block; },
      [](void* memory) { static_cast<Block*>(memory)->~Block(); }};
  return *static_cast<Block*>(emulator::shared_memory(type));
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
void launch(Stream& stream, dim3 grid, dim3 block, std::size_t shared_bytes, Args... args) {
  static_assert((std::is_trivially_copyable_v<Args> && ...));
  emulator::launch(stream, {kernel_name<kernel>(), grid, block, shared_bytes,
                            [=] { kernel(args...); }, emulator::ScheduleScope::current()});
}

}  // namespace imago::kernels
