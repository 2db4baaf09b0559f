// Division by a number that is known before a launch, for the index arithmetic of kernels.
#pragma once

#include <cstdint>

namespace imago::kernels {

// Divides 0 <= n < 2^31 in three instructions, where a general division takes twenty: with
// s = ceil(log2 d) and m = floor(2^(31 + s) / d) + 1,
//   n / d = floor(2 n * m / 2^(32 + s)),
// because the error of the product, at most 2 n / 2^(32 + s), is less than 1 / d (Granlund and
// Montgomery 1994, "Division by invariant integers using multiplication").
struct Divisor {
  int value;
  unsigned multiplier, shift;

  Divisor() = default;
  // By 0 <= d < 2^31; one of 0, which has nothing to divide, divides by 1.
  constexpr explicit Divisor(std::int64_t d) : value(static_cast<int>(d)), multiplier(0), shift(0) {
    const std::uint64_t by = d > 0 ? static_cast<std::uint64_t>(d) : 1;
    while ((std::uint64_t{1} << shift) < by) ++shift;
    multiplier = static_cast<unsigned>((std::uint64_t{1} << (31 + shift)) / by + 1);
  }

  // constexpr, so that device code may call it.
  constexpr int divide(int n) const {
    const std::uint64_t product = std::uint64_t{2u * static_cast<unsigned>(n)} * multiplier;
    return static_cast<int>(static_cast<unsigned>(product >> 32) >> shift);
  }
};

}  // namespace imago::kernels
