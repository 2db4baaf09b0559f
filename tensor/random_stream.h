// A sequential stream of random numbers for host code (shuffles, augmentation, rendering). It is a
// pure function of its key, so workers that own disjoint keys need no shared state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "tensor/philox.h"

namespace imago {

class RandomStream {
 public:
  // Keys are typically (seed, epoch, index). Streams with different keys are independent.
  explicit RandomStream(std::uint64_t seed, std::uint32_t a = 0, std::uint32_t b = 0)
      : key_{seed, a, b} {}

  std::uint32_t next() {
    if (used_ == 4) {
      block_ = draw_block(key_, counter_++);
      used_ = 0;
    }
    return block_.v[used_++];
  }
  float uniform() { return uniform_from_bits(next()); }  // [0, 1)
  float uniform(float low, float high) { return low + (high - low) * uniform(); }
  bool chance(float probability) { return uniform() < probability; }
  float normal() {
    float z0 = 0, z1 = 0;
    const std::uint32_t a = next();
    normals_from_bits(a, next(), z0, z1);
    return z0;
  }
  // Uniform in [0, n), without bias (Lemire 2019). n must be positive.
  std::uint32_t below(std::uint32_t n) {
    std::uint64_t product = std::uint64_t{next()} * n;
    if (static_cast<std::uint32_t>(product) < n) {
      const std::uint32_t reject = (0u - n) % n;
      while (static_cast<std::uint32_t>(product) < reject) product = std::uint64_t{next()} * n;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

 private:
  DrawKey key_;
  std::uint64_t counter_ = 0;
  PhiloxBlock block_{};
  int used_ = 4;
};

// Brings items into an order drawn from the stream, each order as likely as any other (Fisher and
// Yates, from the end): n - 1 draws for n items, fewer than 2^32 of them.
template <class T>
void shuffle(std::span<T> items, RandomStream& random) {
  for (std::size_t i = items.size(); i > 1; --i) {
    std::swap(items[i - 1], items[random.below(static_cast<std::uint32_t>(i))]);
  }
}
template <class T>
void shuffle(std::vector<T>& items, RandomStream& random) {
  shuffle(std::span<T>(items), random);
}

}  // namespace imago
