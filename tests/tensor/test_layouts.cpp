// What files of other programs need: other orders of axes, and half precision.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>

#include "tensor/half.h"
#include "tensor/permuted.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

TEST_CASE("every half is the f32 of its value") {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const float got = half_to_float(static_cast<std::uint16_t>(bits));
    const int exponent = static_cast<int>(bits >> 10 & 31),
              fraction = static_cast<int>(bits & 1023);
    if (exponent == 31 && fraction != 0) {
      if (!std::isnan(got)) FAIL(bits);
      continue;
    }
    double want = exponent == 31  ? HUGE_VAL
                  : exponent == 0 ? std::ldexp(fraction, -24)
                                  : std::ldexp(1024 + fraction, exponent - 25);
    if (bits & 0x8000) want = -want;
    const auto expected = static_cast<float>(want);
    if (std::bit_cast<std::uint32_t>(got) != std::bit_cast<std::uint32_t>(expected)) FAIL(bits);
  }
}

TEST_CASE("axes are permuted, for every size of element") {
  const auto number = [](std::int64_t i) { return i * 7 % 251; };
  for (const DType dtype : {DType::u8, DType::i32, DType::i64, DType::f64}) {
    dispatch<std::uint8_t, std::int32_t, std::int64_t, double>(dtype, "test", [&]<class T> {
      Tensor t = Tensor::empty({2, 3, 1, 5}, dtype, Device::cpu());
      T* p = t.mutable_data<T>();
      for (std::int64_t i = 0; i < 30; ++i) p[i] = static_cast<T>(number(i));
      const int axes[] = {3, 0, 2, 1};
      const Tensor y = permuted(t, axes);
      REQUIRE(y.shape() == Shape{5, 2, 1, 3});
      std::int64_t i = 0;
      for (int d = 0; d < 5; ++d) {
        for (int a = 0; a < 2; ++a) {
          for (int b = 0; b < 3; ++b, ++i) {
            CHECK(y.data<T>()[i] == static_cast<T>(number(15 * a + 5 * b + d)));
          }
        }
      }
    });
  }
  const Tensor halves = Tensor::full({3, 2}, 1.5, DType::bf16, Device::cpu());
  const int swapped[] = {1, 0};
  CHECK(
      same_bits(permuted(halves, swapped), Tensor::full({2, 3}, 1.5, DType::bf16, Device::cpu())));
}

TEST_CASE("permuting scalars, rows and nothing copies; wrong axes are an error") {
  const int one[] = {0}, two[] = {1, 0}, twice[] = {0, 0}, far[] = {0, 2};
  const Tensor row = Tensor::from({1.0f, 2.0f}, {2}).to(Device::cpu());
  CHECK(same_bits(permuted(row, one), row));
  CHECK_FALSE(permuted(row, one).shares_storage(row));
  const Tensor scalar = Tensor::full({}, 3, DType::f32, Device::cpu());
  CHECK(same_bits(permuted(scalar, {}), scalar));
  CHECK(permuted(Tensor::zeros({0, 4}), two).shape() == Shape{4, 0});
  const Tensor square = Tensor::zeros({2, 2});
  CHECK(contains(error_of([&] { permuted(square, one); }), "1 axes are given"));
  CHECK(contains(error_of([&] { permuted(square, twice); }), "there twice"));
  CHECK(contains(error_of([&] { permuted(square, far); }), "out of range"));
}
