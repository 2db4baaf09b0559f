// Tile under emulation: every index is checked against its own extent, and the bytes between one
// member of a shared struct and the next are poisoned, so that AddressSanitizer sees an overrun
// that goes through a pointer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <type_traits>

#include "kernels/emulator/grid.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace imago::emulator {

// "(1, 2)"
template <class... Numbers>
std::string list(Numbers... numbers) {
  std::ostringstream out;
  const char* separator = "(";
  ((out << separator << numbers, separator = ", "), ...);
  out << ')';
  return out.str();
}

// Ends the launch unless `pointer` is aligned as V must be.
template <class V>
void check_aligned(const void* pointer, const char* access) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  if (address % alignof(V) != 0) {
    fault(access, " of ", sizeof(V), " bytes is misaligned: the address is ", address % alignof(V),
          " modulo ", alignof(V));
  }
}

template <class T, int... extents>
class Tile {
  static_assert(std::is_trivially_copyable_v<T> && sizeof...(extents) > 0 &&
                ((extents > 0) && ...));

 public:
  // Leaves the elements as they are: the block's memory was filled before.
  Tile() { poison_gap(true); }
  ~Tile() { poison_gap(false); }
  Tile(const Tile&) = delete;
  Tile& operator=(const Tile&) = delete;

  template <class... Index>
  T& operator()(Index... index) {
    return data_[offset(1, index...)];
  }
  template <class... Index>
  const T& operator()(Index... index) const {
    return data_[offset(1, index...)];
  }
  template <class V, class... Index>
  V load_as(Index... index) const {
    const T* first = data_ + offset(lanes<V>(), index...);
    check_aligned<V>(first, "a load from a tile");
    return *reinterpret_cast<const V*>(first);
  }
  template <class V, class... Index>
  void store_as(const V& value, Index... index) {
    T* first = data_ + offset(lanes<V>(), index...);
    check_aligned<V>(first, "a store to a tile");
    *reinterpret_cast<V*>(first) = value;
  }
  template <class V, class... Index>
  V* pointer_to(Index... index) {
    T* first = data_ + offset(lanes<V>(), index...);
    check_aligned<V>(first, "an address in a tile");
    return reinterpret_cast<V*>(first);
  }

 private:
  static constexpr std::size_t gap_bytes = 64;

  template <class V>
  static constexpr int lanes() {
    static_assert(std::is_trivially_copyable_v<V> && sizeof(V) % sizeof(T) == 0);
    return static_cast<int>(sizeof(V) / sizeof(T));
  }

  // Of the first of `count` elements along the last extent.
  template <class... Index>
  static std::size_t offset(int count, Index... index) {
    static_assert(sizeof...(Index) == sizeof...(extents), "one index for each extent");
    static_assert((std::is_integral_v<Index> && ...));
    const long long at[] = {static_cast<long long>(index)...};
    constexpr long long size[] = {extents...};
    constexpr int rank = sizeof...(extents);
    std::size_t flat = 0;
    for (int d = 0; d < rank; ++d) {
      const long long last = d == rank - 1 ? at[d] + count - 1 : at[d];
      if (at[d] < 0 || last >= size[d]) {
        if (count == 1) fault("index ", list(index...), " is outside Tile", list(extents...));
        fault(count, " elements from index ", list(index...), " leave Tile", list(extents...));
      }
      flat = flat * static_cast<std::size_t>(size[d]) + static_cast<std::size_t>(at[d]);
    }
    return flat;
  }

  void poison_gap([[maybe_unused]] bool on) {
#if defined(__SANITIZE_ADDRESS__)
    if (on)
      __asan_poison_memory_region(gap_, gap_bytes);
    else
      __asan_unpoison_memory_region(gap_, gap_bytes);
#endif
  }

  alignas(16) T data_[(static_cast<std::size_t>(extents) * ...)];
  std::byte gap_[gap_bytes];
};

}  // namespace imago::emulator
