#include <cmath>
#include <limits>

#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/leaky_relu_cuda.h"
#include "tensor/random_stream.h"
#include "tests/emulator/kernels.h"
#include "tests/kernels/random.h"

using namespace imago;
using namespace imago::kernels;
using namespace imago::test;

namespace {

// `count` values that start `offset` elements after a multiple of 16 bytes, at the end of a heap
// block of exactly that size, so that a sanitizer sees a pack that reaches too far.
template <class T>
class Placed {
 public:
  Placed(std::int64_t offset, std::int64_t count)
      : offset_(static_cast<std::size_t>(offset)),
        values_(offset_ + static_cast<std::size_t>(count)) {
    fill_with_nan(values_);
  }
  T* data() { return values_.data() + offset_; }
  std::vector<T> copy() const {
    return {values_.begin() + static_cast<std::ptrdiff_t>(offset_), values_.end()};
  }
  // The elements before the values are as they were.
  bool untouched() const {
    const auto* bytes = reinterpret_cast<const unsigned char*>(values_.data());
    for (std::size_t i = 0; i < offset_ * sizeof(T); ++i) {
      if (bytes[i] != 0xff) return false;
    }
    return true;
  }

 private:
  std::size_t offset_;
  std::vector<T> values_;  // operator new aligns to 16 bytes
};
static_assert(__STDCPP_DEFAULT_NEW_ALIGNMENT__ % 16 == 0);

template <class T>
Placed<T> random_values(std::int64_t offset, std::int64_t count, std::uint64_t seed) {
  Placed<T> placed(offset, count);
  RandomStream stream(seed);
  for (std::int64_t i = 0; i < count; ++i) placed.data()[i] = T(stream.normal());
  return placed;
}

template <class T>
T expected(T x, T dy, acc_t<T> slope) {
  const acc_t<T> at = x, value = dy;
  return at > 0 ? dy : T(slope * value);
}

// Both kernels on `count` elements with the given offsets of x, dy and the result.
template <class T>
void check_at(std::int64_t count, std::int64_t x_offset, std::int64_t dy_offset,
              std::int64_t out_offset) {
  CAPTURE(count);
  CAPTURE(x_offset);
  CAPTURE(dy_offset);
  CAPTURE(out_offset);
  const auto slope = static_cast<acc_t<T>>(0.2);
  auto x = random_values<T>(x_offset, count, 1);
  auto dy = random_values<T>(dy_offset, count, 2);
  const auto x_before = x.copy(), dy_before = dy.copy();
  std::vector<T> y_wanted, dx_wanted;
  for (std::size_t i = 0; i < x_before.size(); ++i) {
    y_wanted.push_back(expected(x_before[i], x_before[i], slope));
    dx_wanted.push_back(expected(x_before[i], dy_before[i], slope));
  }
  for (const auto& [order, seed] : orders) {
    const emulator::ScheduleScope scope(order, seed);
    Placed<T> y(out_offset, count), dx(out_offset, count);
    Stream stream;
    leaky_relu_vector(stream, count, slope, x.data(), y.data());
    leaky_relu_grad_vector(stream, count, slope, x.data(), dy.data(), dx.data());
    stream.synchronize();
    CHECK(same_bytes(y.copy(), y_wanted));
    CHECK(same_bytes(dx.copy(), dx_wanted));
    CHECK(y.untouched());
    CHECK(dx.untouched());
  }
  CHECK(same_bytes(x.copy(), x_before));
  CHECK(same_bytes(dy.copy(), dy_before));
}

template <class T>
void check_starts() {
  constexpr std::int64_t lanes = 16 / sizeof(T);
  for (std::int64_t offset = 0; offset < lanes; ++offset) {
    for (const std::int64_t count : {0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 257, 4099}) {
      check_at<T>(count, offset, offset, offset);
    }
  }
  check_at<T>(61, 0, 0, 1);
  check_at<T>(61, 0, 1, 0);
  check_at<T>(61, 1, 0, 0);
  check_at<T>(61, 1, 0, 1);
}

template <class T>
void check_special_values() {
  using Limits = std::numeric_limits<acc_t<T>>;
  const double numbers[] = {0.0,
                            -0.0,
                            1.0,
                            -1.0,
                            Limits::infinity(),
                            -Limits::infinity(),
                            -3e-39,
                            3e-39,
                            -1e38,
                            Limits::quiet_NaN()};
  constexpr std::int64_t count = std::size(numbers);
  Placed<T> x(0, count), y(0, count);
  for (std::int64_t i = 0; i < count; ++i) x.data()[i] = T(static_cast<acc_t<T>>(numbers[i]));
  const auto slope = static_cast<acc_t<T>>(0.01);
  Stream stream;
  leaky_relu_vector(stream, count, slope, x.data(), y.data());
  stream.synchronize();
  for (std::int64_t i = 0; i < count; ++i) {
    CAPTURE(numbers[i]);
    const acc_t<T> in = x.data()[i], out = y.data()[i];
    if (std::isnan(in)) {
      CHECK(std::isnan(out));
    } else {
      CHECK(same_bytes(std::vector<T>{y.data()[i]},
                       std::vector<T>{in > 0 ? x.data()[i] : T(slope * in)}));
    }
  }
  CHECK(std::signbit(static_cast<double>(y.data()[1])));  // -0 stays -0
}

}  // namespace

TEST_CASE("leaky_relu: heads, bodies and tails, f32") {
  check_starts<float>();
}
TEST_CASE("leaky_relu: heads, bodies and tails, f64") {
  check_starts<double>();
}
TEST_CASE("leaky_relu: heads, bodies and tails, bf16") {
  check_starts<bf16>();
}

TEST_CASE("leaky_relu: zeros, infinities, subnormals and NaN") {
  check_special_values<float>();
  check_special_values<double>();
  check_special_values<bf16>();
}

TEST_CASE("leaky_relu on the emulator equals leaky_relu on the CPU, bit for bit") {
  const double slope = 0.2;
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
    CAPTURE(dtype);
    const Tensor x = normals({7, 11, 13}, dtype, 1), dy = normals({7, 11, 13}, dtype, 2);
    Tensor y = Tensor::empty(x.shape(), dtype), dx = Tensor::empty(x.shape(), dtype);
    dispatch<float, double, bf16>(dtype, "test", [&]<class T> {
      const auto s = static_cast<acc_t<T>>(slope);
      Stream stream;
      leaky_relu_vector(stream, x.numel(), s, x.data<T>(), y.mutable_data<T>());
      leaky_relu_grad_vector(stream, x.numel(), s, x.data<T>(), dy.data<T>(), dx.mutable_data<T>());
      stream.synchronize();
    });
    CHECK(same_bits(y, leaky_relu(x, slope)));
    CHECK(same_bits(dx, leaky_relu_grad(dy, x, slope)));
  }
}

TEST_CASE("leaky_relu works in place") {
  const float values[] = {1, -2, 3, -4, 5, -6, 7};
  std::vector<float> x(values, values + 7), dy{1, 1, 1, 1, 2, 2, 2}, dx = x;
  Stream stream;
  leaky_relu_grad_vector(stream, 7, 0.5f, dx.data(), dy.data(), dx.data());  // dx is x
  leaky_relu_grad_vector(stream, 7, 0.5f, x.data(), dy.data(), dy.data());   // dx is dy
  leaky_relu_vector(stream, 7, 0.5f, x.data(), x.data());
  stream.synchronize();
  CHECK(x == std::vector<float>{1, -1, 3, -2, 5, -3, 7});
  CHECK(dy == std::vector<float>{1, 0.5f, 1, 0.5f, 2, 1, 2});
  CHECK(dx == dy);
}
