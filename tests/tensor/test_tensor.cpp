#include "tensor/tensor.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>

#include "tensor/context.h"

using namespace imago;

TEST_CASE("reshape and slice share storage, clone does not") {
  Tensor t = Tensor::from<float>({0, 1, 2, 3, 4, 5}, {3, 2});
  Tensor r = t.reshape({2, -1});
  CHECK(r.shape() == Shape{2, 3});
  Tensor s = t.slice(1, 3);
  CHECK(s.shape() == Shape{2, 2});
  CHECK(s.data<float>()[0] == 2);
  CHECK(r.shares_storage(t));
  CHECK(s.shares_storage(t));
  CHECK_FALSE(t.clone().shares_storage(t));
  const auto before = t.version();
  s.mutable_data<float>()[0] = 9;
  CHECK(t.data<float>()[2] == 9);
  CHECK(t.version() > before);
}

TEST_CASE("wrong shapes and dtypes are refused by name") {
  Tensor t = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH(t.reshape({4, 2}), "[reshape] (2, 3) has 6 elements but (4, 2) needs 8");
  CHECK_THROWS_WITH(t.data<double>(), "[tensor] elements are f32, not f64");
  CHECK_THROWS_AS(t.slice(1, 4), Error);
  CHECK_THROWS_WITH(t.item(), "[item] needs exactly one element, but the shape is (2, 3)");
  CHECK_THROWS_AS(Tensor().data<float>(), Error);
  CHECK_THROWS_AS((Shape{-1, 2}), Error);
}

TEST_CASE("tensors print readably") {
  CHECK(Tensor::from<std::int64_t>({1, 2, 3}, {3}).to_string() ==
        "Tensor(3,) i64 cpu\n[   1   2   3]");
  // The widest of each kind: neighbours stay apart, and integers keep all their digits.
  CHECK(
      Tensor::from<std::int64_t>({INT64_MAX, INT64_MIN, (INT64_C(1) << 53) + 1}, {3}).to_string() ==
      "Tensor(3,) i64 cpu\n[ 9223372036854775807 -9223372036854775808 9007199254740993]");
  CHECK(Tensor::from<double>({-1.23456e-100, -1.23456e-100}, {1, 2}).to_string() ==
        "Tensor(1, 2) f64 cpu\n[[ -1.2346e-100 -1.2346e-100]]");
  CHECK(Tensor::from<float>({1.5f, -0.25f}, {2}).to_string() ==
        "Tensor(2,) f32 cpu\n[        1.5      -0.25]");
  CHECK(Tensor::from<std::uint8_t>({7, 255}, {2}).to_string() == "Tensor(2,) u8 cpu\n[   7 255]");
  CHECK(Tensor().to_string() == "Tensor(undefined)");
  const std::string big = Tensor::zeros({100, 100}).to_string();
  CHECK(big.find("...") != std::string::npos);
  CHECK(big.size() < 1000);
}

#if !IMAGO_WITH_DEVICE
TEST_CASE("a CUDA tensor in a build without CUDA says so") {
  CHECK_THROWS_WITH(Tensor::empty({2}, DType::f32, Device::cuda()),
                    "[tensor] no CUDA kernel in this build (configured with IMAGO_CUDA=OFF)");
  CHECK_THROWS_AS(Device::parse("cuda"), Error);
}
#endif

TEST_CASE("devices are named") {
  CHECK(Device::parse("cpu") == Device::cpu());
  CHECK(Device::parse("auto") == Device::best());
  CHECK(describe(Device::cpu()).rfind("cpu, ", 0) == 0);
  CHECK(driver_versions(Device::cpu()).empty());
  CHECK_THROWS_WITH(
      Device::parse("gpu"),
      "[device] 'gpu' is no device; use cpu, cuda or auto (another GPU than the first "
      "is chosen with CUDA_VISIBLE_DEVICES)");
}

TEST_CASE("full saturates where a value does not fit and makes NaN an integer zero") {
  const double nan = std::nan("");
  CHECK(Tensor::full({2}, 300, DType::u8).data<std::uint8_t>()[1] == 255);
  CHECK(Tensor::full({1}, -1, DType::u8).data<std::uint8_t>()[0] == 0);
  CHECK(Tensor::full({1}, -2.9, DType::i32).data<std::int32_t>()[0] == -2);
  CHECK(Tensor::full({1}, 1e300, DType::i32).data<std::int32_t>()[0] == INT32_MAX);
  CHECK(Tensor::full({1}, -1e300, DType::i64).data<std::int64_t>()[0] == INT64_MIN);
  CHECK(Tensor::full({1}, nan, DType::i64).data<std::int64_t>()[0] == 0);
  CHECK(std::isnan(Tensor::full({1}, nan, DType::bf16).item()));
  CHECK(std::isinf(Tensor::full({1}, 1e300, DType::f32).item()));
}

TEST_CASE("bf16 rounds to nearest even and keeps NaN") {
  CHECK(float(bf16(1.0f)) == 1.0f);
  CHECK(float(bf16(1.00390625f)) == 1.0f);       // halfway to 1.0078125: to the even 1.0
  CHECK(float(bf16(1.01171875f)) == 1.015625f);  // halfway: to the even neighbour above
  const float nan = bf16(std::nanf(""));
  CHECK(nan != nan);
}
