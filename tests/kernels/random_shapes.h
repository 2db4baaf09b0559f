// Problems drawn at random, the same in every run: extents of 1, primes and powers of two.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "tensor/device.h"
#include "tensor/random_stream.h"
#include "tensor/shape.h"

namespace imago::test {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : stream_(seed) {}

  // In [low, high].
  int between(int low, int high) {
    return low + static_cast<int>(stream_.below(static_cast<std::uint32_t>(high - low + 1)));
  }
  int among(std::initializer_list<int> values) {
    return values.begin()[between(0, static_cast<int>(values.size()) - 1)];
  }
  int extent() { return among({1, 2, 3, 4, 5, 7, 8, 11, 13, 17}); }
  // Images (N, H, W, channels).
  Shape images(int channels) { return {between(1, 3), extent(), extent(), channels}; }

 private:
  RandomStream stream_;
};

// Calls f(trial) for each trial; emulated devices are slow and get a fifth of them.
template <class F>
void for_trials(Device device, int trials, F&& f) {
  for (int i = 0; i < trials; i += IMAGO_EMULATED && device.is_cuda() ? 5 : 1) f(i);
}

}  // namespace imago::test
