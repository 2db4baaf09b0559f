// Inputs for the tests of operations that move elements of any dtype.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tensor/context.h"
#include "tensor/random_stream.h"
#include "tensor/tensor.h"

namespace imago::test {

inline constexpr std::array all_dtypes{DType::f32, DType::f64, DType::bf16,
                                       DType::i32, DType::i64, DType::u8};

// Every byte counts up with a period of 251, so that neither elements nor their bytes are easily
// mistaken for others. On the device of the Context.
inline Tensor counted(const Shape& shape, DType dtype) {
  Tensor t = Tensor::empty(shape, dtype, Device::cpu());
  std::byte* p = t.mutable_bytes();
  for (std::size_t i = 0; i < t.nbytes(); ++i)
    p[i] = static_cast<std::byte>((i * 7 + i / 251) % 251);
  return t.to(Context::current().device);
}

// Indices in [0, extent), some of them several times.
inline Tensor indices_below(std::int64_t extent, const Shape& shape, std::uint64_t seed) {
  RandomStream stream(seed);
  Tensor t = Tensor::empty(shape, DType::i64, Device::cpu());
  std::int64_t* p = t.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    p[i] = static_cast<std::int64_t>(stream.below(static_cast<std::uint32_t>(extent)));
  }
  return t.to(Context::current().device);
}

}  // namespace imago::test
