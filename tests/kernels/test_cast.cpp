#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/elementwise/elementwise.h"
#include "tensor/convert.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;

namespace {

const DType all_dtypes[] = {DType::f32, DType::f64, DType::bf16, DType::i32, DType::i64, DType::u8};

template <class F>
void with_dtype(DType dtype, F&& f) {
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(dtype, "test", f);
}

// On the host: the ends of every integer type, fractions, and every exponent of the type; without
// NaN, whose payload is not determined.
Tensor telling_values(DType dtype) {
  std::vector<double> values{0.0,  -0.0,  0.5,    -0.5,     1.5,      2.5,  -1.9,  254.5,
                             255,  255.5, 256,    -1,       127,      -128, 300,   -300,
                             2e9,  -2e9,  3e9,    -3e9,     9e18,     1e19, -9e18, -1e19,
                             1e38, 1e300, -1e300, INFINITY, -INFINITY};
  for (int e = -330; e < 310; e += 3) values.push_back(std::pow(10.0, e) * 1.2345);
  Tensor t = Tensor::empty({static_cast<std::int64_t>(values.size())}, dtype, Device::cpu());
  with_dtype(dtype, [&]<class T> {
    T* p = t.mutable_data<T>();
    for (std::size_t i = 0; i < values.size(); ++i) p[i] = convert<T>(values[i]);
  });
  return t;
}

// Element by element on the host.
Tensor expected(const Tensor& x, DType dtype) {
  Tensor out = Tensor::empty(x.shape(), dtype, Device::cpu());
  with_dtype(x.dtype(), [&]<class From> {
    with_dtype(dtype, [&]<class To> {
      To* to = out.mutable_data<To>();
      for (std::int64_t i = 0; i < x.numel(); ++i) to[i] = convert<To>(x.data<From>()[i]);
    });
  });
  return out;
}

}  // namespace

TEST_CASE("cast: every dtype to every dtype, at every distance from a multiple of 16 bytes") {
  const test::Guarded guarded;
  test::for_each_device([&](Device device) {
    for (const DType from : all_dtypes) {
      const Tensor values = telling_values(from), there = values.to(device);
      const std::int64_t n = values.size(0);
      for (const DType to : all_dtypes) {
        CAPTURE(from);
        CAPTURE(to);
        for (const std::int64_t begin : {0, 1, 2, 3, 4, 7, 8, 13}) {
          const Tensor x = there.slice(begin, n - begin / 2);
          const Tensor want = expected(values.slice(begin, n - begin / 2), to);
          test::for_each_order(device, [&] { CHECK(same_bits(cast(x, to), want)); });
          CHECK(cast(x, to).shares_storage(x) == (from == to));
        }
        CHECK(cast(Tensor::empty({0, 3}, from), to).shape() == Shape{0, 3});
      }
    }
    const Tensor large = Tensor::full({3, 11003}, 200, DType::i32);
    CHECK(same_bits(cast(large, DType::u8), Tensor::full({3, 11003}, 200, DType::u8)));
  });
}

TEST_CASE("cast: every dtype to every dtype") {
  const test::Guarded guarded;
  const DType all[] = {DType::f32, DType::f64, DType::bf16, DType::i32, DType::i64, DType::u8};
  for (const DType from : all) {
    for (const DType to : all) {
      const Tensor x = Tensor::full({3, 11003}, 200, from);
      const Tensor y = cast(x, to);
      CHECK(same_bits(y, Tensor::full({3, 11003}, 200, to)));
      CHECK(y.shares_storage(x) == (from == to));
    }
  }
}

TEST_CASE("cast: fractions are dropped, out of range saturates, NaN becomes 0") {
  test::for_each_device([&](Device) {
    const double nan = std::nan("");
    const Tensor x = Tensor::from<double>({-1.9, 2.9, 255.5, 300, -300, 1e30, -1e30, nan}, {8});
    const auto is = [](const Tensor& got, const Tensor& want) { return same_bits(got, want); };
    CHECK(is(cast(x, DType::u8), Tensor::from<std::uint8_t>({0, 2, 255, 255, 0, 255, 0, 0}, {8})));
    const std::int32_t top = std::numeric_limits<std::int32_t>::max(), bottom = -top - 1;
    CHECK(is(cast(x, DType::i32),
             Tensor::from<std::int32_t>({-1, 2, 255, 300, -300, top, bottom, 0}, {8})));
    CHECK(is(cast(cast(x, DType::f32), DType::i32),
             Tensor::from<std::int32_t>({-1, 2, 255, 300, -300, top, bottom, 0}, {8})));
    const std::int64_t most = std::numeric_limits<std::int64_t>::max(), least = -most - 1;
    CHECK(is(cast(x, DType::i64),
             Tensor::from<std::int64_t>({-1, 2, 255, 300, -300, most, least, 0}, {8})));
    CHECK(is(cast(Tensor::from<std::int64_t>({most, least, -1, 256}, {4}), DType::u8),
             Tensor::from<std::uint8_t>({255, 0, 0, 255}, {4})));
    CHECK(is(cast(Tensor::from<float>({1.00390625f, 1.01171875f}, {2}), DType::bf16),
             Tensor::from<bf16>({bf16(1.0f), bf16(1.015625f)}, {2})));
  });
}
