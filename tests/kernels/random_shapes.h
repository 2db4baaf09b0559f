// Problems drawn at random, the same in every run: extents of 1, primes and powers of two.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "kernels/elementwise/elementwise.h"
#include "tensor/random_stream.h"
#include "tensor/tensor.h"
#include "tests/support/devices.h"

namespace imago::test {

class Draw {
 public:
  // What is drawn depends on the sum of the two.
  explicit Draw(std::uint64_t seed, int trial = 0)
      : stream_(seed + static_cast<std::uint64_t>(trial)), trial_(trial) {}

  int trial() const { return trial_; }
  // In [low, high].
  int between(int low, int high) {
    return low + static_cast<int>(stream_.below(static_cast<std::uint32_t>(high - low + 1)));
  }
  int among(std::initializer_list<int> values) {
    return values.begin()[between(0, static_cast<int>(values.size()) - 1)];
  }
  DType dtype() { return among_dtypes(6); }
  DType floating_dtype() { return among_dtypes(3); }
  int extent() { return among({1, 2, 3, 4, 5, 7, 8, 11, 13, 17}); }
  // Images (N, H, W, channels).
  Shape images(int channels) { return {between(1, 3), extent(), extent(), channels}; }
  // At least `least` and at most four dimensions of few elements.
  Shape shape(int least) {
    Shape shape;
    const int dims = between(least, 4);
    for (int i = 0; i < dims; ++i) shape.append(among({1, 2, 3, 5, 7, 8, 13}));
    return shape;
  }

 private:
  DType among_dtypes(int first) {
    constexpr DType dtypes[] = {DType::f32, DType::f64, DType::bf16,
                                DType::i32, DType::i64, DType::u8};
    return dtypes[between(0, first - 1)];
  }

  RandomStream stream_;
  int trial_;
};

// Calls f(trial) for each trial; emulated devices are slow and get a fifth of them.
template <class F>
void for_trials(Device device, int trials, F&& f) {
  for (int i = 0; i < trials; i += IMAGO_EMULATED && device.is_cuda() ? 5 : 1) f(i);
}

// Calls f(device, draw) on each device for as many problems, and names the problem in messages.
template <class F>
void for_each_problem(int trials, std::uint64_t seed, F&& f) {
  for_each_device([&](Device device) {
    for_trials(device, trials, [&](int trial) {
      CAPTURE(trial);
      Draw draw(seed, trial);
      f(device, draw);
    });
  });
}

inline Tensor on_host(const Tensor& t) {
  return t.to(Device::cpu());
}

// The same in f64, which holds every number of the other floating dtypes.
inline Tensor exact(const Tensor& t) {
  return kernels::cast(on_host(t), DType::f64);
}

}  // namespace imago::test
