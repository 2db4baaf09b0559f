#include <doctest/doctest.h>

#include <cmath>

#include "kernels/image/image.h"
#include "tensor/context.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;

namespace {

// (2, 16, 1237, 3), on the host: every byte, at an odd size of more than one grain.
Tensor all_bytes() {
  Tensor t = Tensor::empty({2, 16, 1237, 3}, DType::u8, Device::cpu());
  auto* p = t.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < t.numel(); ++i) p[i] = static_cast<std::uint8_t>(i * 7);
  return t;
}

}  // namespace

TEST_CASE("image: bytes to [-1, 1] and back") {
  const test::Guarded guarded;
  test::for_each_device([&](Device device) {
    const Tensor images = all_bytes();
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
      const Tensor x = normalize_u8(images.to(device), dtype);
      CHECK(x.dtype() == dtype);
      CHECK(x.device() == device);
      CHECK(x.shape() == images.shape());
      const Tensor x64 = test::to_f64(x);
      const double bound = dtype == DType::bf16 ? 0.002 : dtype == DType::f32 ? 1e-7 : 0;
      double worst = 0;
      for (std::int64_t i = 0; i < x.numel(); ++i) {
        const double want = images.data<std::uint8_t>()[i] / 127.5 - 1;
        const double error = std::fabs(x64.data<double>()[i] - want);
        if (!(error <= worst)) worst = error;
      }
      CHECK(worst <= bound);
      if (dtype != DType::bf16) CHECK(same_bits(denormalize_u8(x), images));
    }
  });
}

TEST_CASE("image: the way back rounds and clamps") {
  test::for_each_device([&](Device) {
    const Tensor x = Tensor::from<float>({-1, 1, 0, -7, 7, -0.9971f, -0.995f, std::nanf("")}, {8});
    CHECK(same_bits(denormalize_u8(x),
                    Tensor::from<std::uint8_t>({0, 255, 128, 0, 255, 0, 1, 0}, {8})));
    const float inf = std::numeric_limits<float>::infinity();
    CHECK(same_bits(denormalize_u8(Tensor::from<float>({inf, -inf}, {2})),
                    Tensor::from<std::uint8_t>({255, 0}, {2})));
  });
}

TEST_CASE("image: the same bits on every device, from slices that begin anywhere") {
  const test::Guarded guarded;
  const Tensor bytes = all_bytes().reshape({-1}).slice(0, 300);
  test::for_each_device([&](Device device) {
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
      const Tensor values = test::normals({300}, dtype, 1).to(Device::cpu());
      for (std::int64_t begin = 0; begin < 17; ++begin) {
        for (const std::int64_t end : {begin, begin + 1, begin + 9, std::int64_t{300}}) {
          CAPTURE(dtype);
          CAPTURE(begin);
          CAPTURE(end);
          const Tensor x = bytes.to(device).slice(begin, end);
          const Tensor v = values.to(device).slice(begin, end);
          const Tensor normal = normalize_u8(bytes.slice(begin, end), dtype);
          const Tensor back = denormalize_u8(values.slice(begin, end));
          test::for_each_order(device, [&] {
            CHECK(same_bits(normalize_u8(x, dtype), normal));
            CHECK(same_bits(denormalize_u8(v), back));
          });
        }
      }
    }
  });
}

TEST_CASE("image: the number of threads does not change a bit") {
  const ContextScope scope;
  const Tensor images = all_bytes();
  set_num_threads(1);
  const Tensor x = normalize_u8(images, DType::f32), back = denormalize_u8(x);
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    CHECK(same_bits(normalize_u8(images, DType::f32), x));
    CHECK(same_bits(denormalize_u8(x), back));
  }
}

TEST_CASE("image: messages name what was expected and what came") {
  CHECK(test::error_of([] { normalize_u8(Tensor::zeros({2})); }) ==
        "[normalize_u8] takes u8 images, not f32");
  CHECK(test::error_of([] { normalize_u8(Tensor::zeros({2}, DType::u8), DType::i32); }) ==
        "[normalize_u8] does not take i32; it takes f32, f64, bf16");
  CHECK(test::error_of([] { denormalize_u8(Tensor::zeros({2}, DType::u8)); }) ==
        "[denormalize_u8] does not take u8; it takes f32, f64, bf16");
}
