// What is particular to the tiled and blocked engines of conv2d on CUDA. What they share with all
// engines is in test_conv2d.cpp.
#if IMAGO_WITH_DEVICE
#include <doctest/doctest.h>

#include <limits>

#include "kernels/conv2d/cases.h"
#include "kernels/conv2d/engines.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// The same elements, `offset` elements past a multiple of 1 KB in memory that is NaN otherwise.
Tensor within_nan(const Tensor& t, std::int64_t offset, Device device) {
  offset += 256;
  Tensor memory = Tensor::full({t.numel() + 2 * offset}, not_a_number, t.dtype(), Device::cpu());
  Tensor inside = memory.slice(offset, offset + t.numel()).reshape(t.shape());
  inside.copy_from(t);
  return memory.to(device).slice(offset, offset + t.numel()).reshape(t.shape());
}

bool is_finite(const Tensor& t) {
  return test::largest_error(t, t) == 0.0;
}

}  // namespace

TEST_CASE("conv2d on CUDA: slices that start anywhere, nothing read beyond them, the same bits") {
  const test::Guarded guarded;
  const Conv2dParams halve{.stride_h = 2, .stride_w = 2, .pad = Padding::same(1)};
  const Conv2dCase cases[] = {
      {"small tiles", 2, 6, 7, 12, 20, 4, 4, halve},
      {"tall tiles, split", 2, 9, 8, 32, 68, 3, 3, {.pad = Padding::same(1)}},
      {"slim columns, split", 3, 4, 4, 24, 2, 4, 4, {}},
      {"one element at a time", 2, 5, 6, 3, 7, 3, 3, halve},
      {"one filter", 2, 6, 8, 4, 1, 4, 4, halve},
  };
  test::for_each_device([&](Device device) {
    if (!device.is_cuda()) return;
    for (const Conv2dCase& c : cases) {
      CAPTURE(c.name);
      const Tensor x = test::normals(c.x(), DType::f32, 1), w = test::normals(c.w(), DType::f32, 2),
                   y = test::normals(c.y(), DType::f32, 3);
      for (const Engine engine : {Engine::tiled, Engine::blocked}) {
        CAPTURE(name_of(engine));
        const auto passes = [&](const Tensor& a, const Tensor& b, const Tensor& g) {
          return std::vector{conv2d(a, b, c.params, engine),
                             conv2d_input_grad(g, b, c.H, c.W, c.params, engine),
                             conv2d_weight_grad(a, g, c.R, c.S, c.params, DType::f32, engine)};
        };
        const std::vector<Tensor> want = passes(x, w, y);
        for (const std::int64_t offset : {1, 4}) {
          CAPTURE(offset);
          const std::vector<Tensor> got =
              passes(within_nan(x, offset, device), within_nan(w, offset, device),
                     within_nan(y, offset, device));
          for (std::size_t i = 0; i < 3; ++i) {
            CAPTURE(i);
            CHECK(same_bits(got[i], want[i]));
          }
        }
      }
    }
  });
}

TEST_CASE("conv2d on CUDA: pixels that no window sees have no say") {
  // Windows of 3 x 1 every 4 x 2 pixels; the rest of the image is NaN. A window has 12 terms: the
  // thirteenth would be such a pixel.
  const Conv2dCase c{"", 2, 11, 9, 4, 8, 3, 1, {.stride_h = 4, .stride_w = 2}};
  Tensor x = test::normals(c.x(), DType::f32, 1).to(Device::cpu());
  float* p = x.mutable_data<float>();
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const std::int64_t h = i / (9 * 4) % 11, v = i / 4 % 9;
    if (h % 4 == 3 || v % 2 == 1) p[i] = static_cast<float>(not_a_number);
  }
  test::for_each_device([&](Device device) {
    if (!device.is_cuda()) return;
    const Tensor w = test::normals(c.w(), DType::f32, 2), y = test::normals(c.y(), DType::f32, 3);
    for (const Engine engine : {Engine::naive, Engine::tiled, Engine::blocked}) {
      CAPTURE(name_of(engine));
      CHECK(is_finite(conv2d(x.to(device), w, c.params, engine)));
      CHECK(is_finite(conv2d_weight_grad(x.to(device), y, c.R, c.S, c.params, DType::f32, engine)));
      // Those pixels get a gradient of zero, not whatever was there.
      const Tensor gradient = conv2d_input_grad(y, w, c.H, c.W, c.params, engine);
      const Tensor host = gradient.to(Device::cpu());
      for (std::int64_t i = 0; i < host.numel(); ++i) {
        if (p[i] != p[i]) REQUIRE(host.data<float>()[i] == 0.0f);
      }
    }
  });
}

TEST_CASE("conv2d on CUDA: wide tiles, exactly") {
  // Just enough tiles of 128 x 128 to be preferred, with remainders in every direction.
  const test::Guarded guarded;
  const Conv2dCase forward{"", 1, 61, 277, 12, 66, 1, 1, {}};
  const Conv2dCase input{"", 1, 61, 277, 68, 12, 1, 1, {}};
  const Conv2dCase weight{"", 1, 3, 4, 8420, 132, 1, 1, {}};
  test::for_each_device([&](Device device) {
    if (!device.is_cuda()) return;
    const auto tensor = [](const Shape& shape, std::uint64_t seed) {
      return test::small_integers(shape, DType::f32, seed);
    };
    const auto host = [](const Tensor& t) { return t.to(Device::cpu()); };
    {
      const Tensor x = tensor(forward.x(), 1), w = tensor(forward.w(), 2);
      CHECK(same_bits(conv2d(x, w, {}, Engine::blocked), conv2d(host(x), host(w), {})));
    }
    {
      const Tensor y = tensor(input.y(), 1), w = tensor(input.w(), 2);
      CHECK(same_bits(conv2d_input_grad(y, w, input.H, input.W, {}, Engine::blocked),
                      conv2d_input_grad(host(y), host(w), input.H, input.W, {})));
    }
    {
      const Tensor x = tensor(weight.x(), 1), y = tensor(weight.y(), 2);
      CHECK(same_bits(conv2d_weight_grad(x, y, 1, 1, {}, DType::f32, Engine::blocked),
                      conv2d_weight_grad(host(x), host(y), 1, 1, {}, DType::f32)));
    }
  });
}

TEST_CASE("conv2d on CUDA: bf16 gradients of weights come in f32 too") {
  const test::Guarded guarded;
  const Conv2dCase c{"", 2, 7, 5, 13, 17, 3, 3, {.pad = Padding::same(1)}};
  test::for_each_device([&](Device device) {
    if (!device.is_cuda()) return;
    const Tensor x = test::small_integers(c.x(), DType::bf16, 1);
    const Tensor y = test::small_integers(c.y(), DType::bf16, 2);
    const Tensor want = conv2d_weight_grad(x.to(Device::cpu()), y.to(Device::cpu()), c.R, c.S,
                                           c.params, DType::f32);
    for (const Engine engine : {Engine::naive, Engine::tiled}) {
      CHECK(same_bits(conv2d_weight_grad(x, y, c.R, c.S, c.params, DType::f32, engine), want));
    }
  });
}

TEST_CASE("conv2d on CUDA: messages say which engine cannot do what") {
  test::for_each_device([](Device device) {
    if (!device.is_cuda()) return;
    const Tensor x = Tensor::zeros({1, 6, 6, 4}), w = Tensor::zeros({2, 3, 3, 4});
    CHECK(test::error_of([&] { conv2d(x, w, {.dilation_h = 2}, Engine::blocked); }) ==
          "[conv2d] engine blocked cannot do n1h6w6c4k2r3s3u1v1p0d2_1 in f32: it takes f32 with "
          "groups and dilation 1 and tensors below 2^30 elements; use auto");
    CHECK(test::error_of([&] {
            conv2d(Tensor::zeros({1, 6, 6, 4}, DType::f64), Tensor::zeros({2, 3, 3, 4}, DType::f64),
                   {}, Engine::blocked);
          }) ==
          "[conv2d] engine blocked cannot do n1h6w6c4k2r3s3u1v1p0 in f64: it takes f32 with groups "
          "and dilation 1 and tensors below 2^30 elements; use auto");
    CHECK(test::error_of([&] {
            conv2d_input_grad(Tensor::zeros({1, 4, 4, 2}), Tensor::zeros({2, 3, 3, 2}), 6, 6,
                              {.groups = 2}, Engine::tiled);
          }).find("engine tiled cannot do n1h6w6c4k2r3s3u1v1p0g2 in f32: it takes groups and") !=
          std::string::npos);
    // Some builds have cudnn as well.
    CHECK(
        test::error_of([&] {
          conv2d_weight_grad(x, Tensor::zeros({1, 4, 4, 2}), 3, 3, {}, DType::f32, Engine::direct);
        })
            .starts_with("[conv2d_weight_grad] engine direct does not run on CUDA here; use one of "
                         "auto, blocked, tiled, naive"));
  });
}

TEST_CASE("conv2d on CUDA: tensors too large for 32-bit offsets are left to the naive engine") {
  const auto can = [](std::int64_t n, std::int64_t h, std::int64_t c, std::int64_t k, int kernel,
                      Conv2dParams params = {}) {
    return conv2d_tiles_can(conv2d_problem("test", {n, h, h, c}, {k, kernel, kernel, c}, params));
  };
  CHECK(can(1023, 32, 32, 1, 1, {.stride_h = 2, .stride_w = 2}));
  CHECK_FALSE(can(1024, 32, 1024, 1, 1, {.stride_h = 2, .stride_w = 2}));
  CHECK(can(1, 4, 1 << 15, 1 << 14, 1));
  CHECK_FALSE(can(1, 4, 1 << 15, 1 << 15, 1));
  CHECK_FALSE(can(1 << 14, 64, 1, 64, 1));
  CHECK_FALSE(can(1, 1, 1 << 20, 1, 1));
  CHECK_FALSE(can(1, 40, 1, 1, 1, {.stride_h = 17, .stride_w = 16}));
  CHECK(can(1, 40, 1, 1, 1, {.stride_h = 16, .stride_w = 16}));
  CHECK_FALSE(can(1, 8, 1, 1, 1, {.pad = {.top = 1 << 28}}));
}

#endif
