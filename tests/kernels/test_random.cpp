#include <doctest/doctest.h>

#include <cmath>

#include "kernels/elementwise/elementwise.h"
#include "kernels/random/cases.h"
#include "kernels/random/engines.h"
#include "kernels/random/random.h"
#include "tensor/context.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;

namespace {

const DType floating[] = {DType::f32, DType::f64, DType::bf16};
const DrawKey key{.seed = 0x123456789abcdefull, .step = 5, .draw = 3};

}  // namespace

TEST_CASE("random: element 4 b + j is value j of block b, in every dtype") {
  const test::Guarded guarded;
  for (const RandomCase& c : random_cases()) {
    const Tensor z = normal(c.shape, DType::f32, key), u = uniform(c.shape, DType::f32, key);
    Tensor want_z = Tensor::empty_like(z), want_u = Tensor::empty_like(u);
    for (std::int64_t i = 0; i < z.numel(); ++i) {
      const auto b = static_cast<std::uint64_t>(i / 4);
      want_z.mutable_data<float>()[i] = normal_block(key, b)[static_cast<std::size_t>(i % 4)];
      want_u.mutable_data<float>()[i] = uniform_from_bits(draw_block(key, b).v[i % 4]);
    }
    CHECK(same_bits(z, want_z));
    CHECK(same_bits(u, want_u));
    for (const DType dtype : floating) {
      CHECK(same_bits(normal(c.shape, dtype, key), cast(z, dtype)));
      CHECK(same_bits(uniform(c.shape, dtype, key), cast(u, dtype)));
    }
  }
}

TEST_CASE("random: blocks are counted in 64 bits, and every tail ends where it should") {
  const test::Guarded guarded;
  for (const std::uint64_t first : {std::uint64_t{0xfffffffdu}, ~std::uint64_t{0} - 40}) {
    for (const std::int64_t n : {1, 2, 3, 31, 64, 65, 129}) {
      CAPTURE(n);
      Tensor z = Tensor::empty({n}, DType::f32, Device::cpu()), want = Tensor::empty_like(z);
      run_random({.op = RandomOp::normal,
                  .key = key,
                  .block = first,
                  .count = n,
                  .out = z.mutable_data<float>()});
      for (std::int64_t i = 0; i < n; ++i) {
        const std::uint64_t b = first + static_cast<std::uint64_t>(i / 4);
        want.mutable_data<float>()[i] = normal_block(key, b)[static_cast<std::size_t>(i % 4)];
      }
      CHECK(same_bits(z, want));
    }
  }
}

TEST_CASE("random: every device draws the same bits, in every order of its threads") {
  const test::Guarded guarded;
  test::for_each_device([&](Device device) {
    for (const RandomCase& c : random_cases()) {
      for (const DType dtype : floating) {
        CAPTURE(c.shape);
        CAPTURE(dtype);
        const Tensor z = normal(c.shape, dtype, key, Device::cpu());
        const Tensor u = uniform(c.shape, dtype, key, Device::cpu());
        CHECK(normal(c.shape, dtype, key).device() == device);
        test::for_each_order(device, [&] {
          CHECK(same_bits(normal(c.shape, dtype, key, device), z));
          CHECK(same_bits(uniform(c.shape, dtype, key, device), u));
        });
      }
    }
  });
}

TEST_CASE("dropout: a uniform number that equals p keeps its element") {
  test::for_each_device([&](Device) {
    const Tensor u = uniform({12}, DType::f32, key).to(Device::cpu());
    const Tensor ones = Tensor::full({12}, 1);
    for (std::int64_t i = 0; i < 12; ++i) {
      const double p = u.data<float>()[i];
      CHECK(dropout(ones, p, key).slice(i, i + 1).item() ==
            static_cast<float>(1.0f * static_cast<float>(1 / (1 - p))));
    }
  });
}

TEST_CASE("dropout: every device drops the same elements, of slices that begin anywhere") {
  const test::Guarded guarded;
  test::for_each_device([&](Device device) {
    for (const DType dtype : floating) {
      const Tensor x = normal({50}, dtype, {.seed = 1}, Device::cpu()), there = x.to(device);
      for (std::int64_t begin = 0; begin < 9; ++begin) {
        for (const std::int64_t n : {0, 1, 4, 7, 32, 41}) {
          const Tensor want = dropout(x.slice(begin, begin + n), 0.3, key);
          test::for_each_order(device, [&] {
            CHECK(same_bits(dropout(there.slice(begin, begin + n), 0.3, key), want));
          });
        }
      }
    }
  });
}

TEST_CASE("random: the beginning of a long draw is the short draw; other keys are other draws") {
  const Tensor all = normal({70001}, DType::f32, key);
  CHECK(same_bits(normal({31}, DType::f32, key), all.slice(0, 31)));
  CHECK_FALSE(same_bits(normal({31}, DType::f32, {key.seed, key.step, 4}), all.slice(0, 31)));
  CHECK_FALSE(same_bits(normal({31}, DType::f32, {key.seed, 6, key.draw}), all.slice(0, 31)));
  CHECK_FALSE(same_bits(normal({31}, DType::f32, {1, key.step, key.draw}), all.slice(0, 31)));
}

TEST_CASE("random: moments are those of the distributions") {
  const std::int64_t n = 200000;
  const Tensor z = normal({n}, DType::f64, key), u = uniform({n}, DType::f64, key);
  double z1 = 0, z2 = 0, z4 = 0, u1 = 0, u2 = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const double a = z.data<double>()[i], b = u.data<double>()[i];
    z1 += a, z2 += a * a, z4 += a * a * a * a, u1 += b, u2 += b * b;
    if (!(b >= 0 && b < 1)) FAIL("a uniform number is " << b);
  }
  const auto count = static_cast<double>(n);
  const double sigma = 1 / std::sqrt(count);  // bounds are five standard deviations
  CHECK(std::fabs(z1 / count) <= 5 * sigma);
  CHECK(std::fabs(z2 / count - 1) <= 5 * std::sqrt(2.0) * sigma);
  CHECK(std::fabs(z4 / count - 3) <= 5 * std::sqrt(96.0) * sigma);
  CHECK(std::fabs(u1 / count - 0.5) <= 5 * std::sqrt(1.0 / 12) * sigma);
  CHECK(std::fabs(u2 / count - 1.0 / 3) <= 5 * std::sqrt(4.0 / 45) * sigma);
}

TEST_CASE("dropout: keeps where the uniform number reaches p, scaled by 1 / (1 - p)") {
  const test::Guarded guarded;
  for (const RandomCase& c : random_cases()) {
    const Tensor u = uniform(c.shape, DType::f32, key);
    for (const DType dtype : floating) {
      const Tensor x = test::small_integers(c.shape, dtype, 1);
      const Tensor y = test::to_f64(dropout(x, 0.75, key)), x64 = test::to_f64(x);
      for (std::int64_t i = 0; i < x.numel(); ++i) {
        const double want = u.data<float>()[i] >= 0.75f ? 4 * x64.data<double>()[i] : 0;
        if (!(y.data<double>()[i] == want)) FAIL("element " << i << " is not " << want);
      }
      CHECK(same_bits(dropout(x, 0, key), x));
    }
  }
  double kept = 0;
  const Tensor ones = dropout(Tensor::full({100000}, 1), 0.3, key);
  for (std::int64_t i = 0; i < 100000; ++i) kept += ones.data<float>()[i] > 0;
  CHECK(std::fabs(kept / 100000 - 0.7) <= 5 * std::sqrt(0.21 / 100000));
}

TEST_CASE("random: the number of threads does not change a bit") {
  const ContextScope scope;
  for (const DType dtype : floating) {
    set_num_threads(1);
    const Tensor z = normal({50021}, dtype, key), u = uniform({50021}, dtype, key);
    const Tensor d = dropout(z, 0.5, key);
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      CHECK(same_bits(normal({50021}, dtype, key), z));
      CHECK(same_bits(uniform({50021}, dtype, key), u));
      CHECK(same_bits(dropout(z, 0.5, key), d));
    }
  }
}

TEST_CASE("random: messages name what was expected and what came") {
  CHECK(test::error_of([] { dropout(Tensor::zeros({2}), 1.0, key); }) ==
        "[dropout] the probability p lies in [0, 1), but it is 1");
  CHECK(test::error_of([] { normal({2}, DType::u8, key); }) ==
        "[normal] does not take u8; it takes f32, f64, bf16");
  CHECK(test::error_of([] { dropout(Tensor(), 0.1, key); }) ==
        "[dropout] the argument is undefined");
}
