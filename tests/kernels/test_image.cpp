#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kernels/image/cases.h"
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

const DType floating[] = {DType::f32, DType::f64, DType::bf16};

// On the host: every byte in turn.
Tensor all_bytes(const Shape& shape) {
  Tensor t = Tensor::empty(shape, DType::u8, Device::cpu());
  auto* p = t.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < t.numel(); ++i) p[i] = static_cast<std::uint8_t>(i * 7);
  return t;
}

// The bytes of x, each value of which is `by` larger.
Tensor bytes_beyond(const Tensor& x, double by) {
  Tensor moved = test::to_f64(x);
  double* p = moved.mutable_data<double>();
  for (std::int64_t i = 0; i < moved.numel(); ++i) p[i] += by;
  return denormalize_u8_reference(moved);
}

}  // namespace

TEST_CASE("image: agrees with the reference, and bytes survive the way there and back") {
  const test::Guarded guarded;
  for (const ImageCase& c : image_cases()) {
    CAPTURE(c.shape);
    const Tensor images = all_bytes(c.shape), want = normalize_u8_reference(images);
    for (const DType dtype : floating) {
      CAPTURE(dtype);
      const Tensor values = test::normals(c.shape, dtype, 3).to(Device::cpu());
      const Tensor least = bytes_beyond(values, -c.byte_tolerance(dtype));
      const Tensor most = bytes_beyond(values, c.byte_tolerance(dtype));
      test::for_each_device([&](Device device) {
        const Tensor x = normalize_u8(images.to(device), dtype);
        CHECK(x.dtype() == dtype);
        CHECK(x.device() == device);
        CHECK(x.shape() == c.shape);
        CHECK(test::largest_error(x, want) <= c.tolerance(dtype));
        if (dtype != DType::bf16) CHECK(same_bits(denormalize_u8(x).to(Device::cpu()), images));
        const Tensor bytes = denormalize_u8(values.to(device)).to(Device::cpu());
        std::int64_t wrong = 0;
        for (std::int64_t i = 0; i < bytes.numel(); ++i) {
          const std::uint8_t byte = bytes.data<std::uint8_t>()[i];
          wrong += byte < least.data<std::uint8_t>()[i] || byte > most.data<std::uint8_t>()[i];
        }
        CHECK(wrong == 0);
      });
    }
  }
}

TEST_CASE("image: the reference, by hand") {
  const Tensor bytes = Tensor::from<std::uint8_t>({0, 51, 255}, {3}).to(Device::cpu());
  CHECK(test::largest_error(normalize_u8_reference(bytes),
                            Tensor::from<double>({-1, -0.6, 1}, {3})) <= 1e-15);
  // 127.5 (x + 1) is 0, 255, 127.5, below 0, above 255, 0.375, 0.625 and no number.
  const Tensor x = Tensor::from<double>(
                       {-1, 1, 0, -7, 7, 0.375 / 127.5 - 1, 0.625 / 127.5 - 1, std::nan("")}, {8})
                       .to(Device::cpu());
  CHECK(same_bits(denormalize_u8_reference(x),
                  Tensor::from<std::uint8_t>({0, 255, 128, 0, 255, 0, 1, 0}, {8})));
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
  const Tensor bytes = all_bytes({300});
  test::for_each_device([&](Device device) {
    for (const DType dtype : floating) {
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
  const Tensor images = all_bytes(image_cases().back().shape);
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
