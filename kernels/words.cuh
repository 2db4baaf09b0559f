// Words: what a thread of a kernel that only moves elements moves at once. The widest word of 1, 2,
// 4, 8 or 16 bytes that everything is a multiple of serves all dtypes.
#pragma once

#include <initializer_list>

#include "kernels/launch.h"

namespace imago::kernels {

using Word16 = Pack<std::uint32_t, 4>;

// The widest word that divides `sizes` (numbers of bytes, and addresses).
inline int widest_word(std::initializer_list<std::int64_t> sizes) {
  int word = 16;
  for (const std::int64_t size : sizes) {
    while (size % word != 0) word /= 2;
  }
  return word;
}

inline std::int64_t address_of(const std::byte* p) {
  return static_cast<std::int64_t>(misalignment16(p));
}

// Calls f.template operator()<W>() for the word of `bytes` bytes.
template <class F>
void with_word(int bytes, F&& f) {
  switch (bytes) {
    case 1:
      return f.template operator()<std::uint8_t>();
    case 2:
      return f.template operator()<std::uint16_t>();
    case 4:
      return f.template operator()<std::uint32_t>();
    case 8:
      return f.template operator()<std::uint64_t>();
    default:
      return f.template operator()<Word16>();
  }
}

// One word of an array of bytes.
template <class W>
__device__ W load_word(const std::byte* array, std::int64_t i) {
  return load_as<W>(array + i * static_cast<std::int64_t>(sizeof(W)));
}
template <class W>
__device__ void store_word(std::byte* array, std::int64_t i, const W& word) {
  store_as(array + i * static_cast<std::int64_t>(sizeof(W)), word);
}

}  // namespace imago::kernels
