#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kernels/elementwise/elementwise.h"
#include "kernels/pad/cases.h"
#include "kernels/pad/pad.h"
#include "kernels/tolerance.h"
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
const DType copied[] = {DType::f32, DType::f64, DType::bf16, DType::u8};

// On the host, in any dtype; every element differs from its neighbours.
Tensor pixels(const Shape& shape, DType dtype, std::uint64_t seed = 1) {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  if (dtype != DType::u8) return test::normals(shape, dtype, seed);
  Tensor t = Tensor::empty(shape, dtype);
  auto* p = t.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < t.numel(); ++i) p[i] = static_cast<std::uint8_t>(i * 37 + 11);
  return t;
}

// f(x) gives `want` on every device, in every order, and from memory that starts anywhere.
template <class F>
void check_everywhere(const Tensor& x, const Tensor& want, F&& f) {
  test::for_each_device([&](Device device) {
    const Tensor there = x.to(device);
    const Tensor got = f(there);
    CHECK(got.device() == device);
    CHECK(same_bits(got, want));
    if (device.is_cuda()) test::for_each_order(device, [&] { CHECK(same_bits(f(there), want)); });
    CHECK(same_bits(f(test::off_boundary(there)), want));
  });
}

Shape padded(const Shape& x, const Padding& p) {
  return {x[0], x[1] + p.top + p.bottom, x[2] + p.left + p.right, x[3]};
}

double close_to(double value) {
  return 1e-12 * (1 + std::fabs(value));
}

}  // namespace

TEST_CASE("pad, pad_reflect and crop are their specifications in every dtype") {
  const test::Guarded guarded;
  for (const PadCase& c : pad_cases()) {
    CAPTURE(c.x);
    for (const DType dtype : copied) {
      CAPTURE(dtype);
      const Tensor x = pixels(c.x, dtype);
      check_everywhere(x, pad_reference(x, c.pad, 3),
                       [&](const Tensor& t) { return pad(t, c.pad, 3); });
      const Tensor wide = pixels(padded(c.x, c.pad), dtype);
      check_everywhere(
          wide, crop_reference(wide, c.pad.top, c.pad.left, c.x[1], c.x[2]),
          [&](const Tensor& t) { return crop(t, c.pad.top, c.pad.left, c.x[1], c.x[2]); });
      if (!c.reflects) continue;
      check_everywhere(x, pad_reflect_reference(x, c.pad),
                       [&](const Tensor& t) { return pad_reflect(t, c.pad); });
    }
  }
}

TEST_CASE("pad_reflect_grad is its specification, bit for bit, and near the sums in f64") {
  const test::Guarded guarded;
  for (const PadCase& c : pad_cases()) {
    if (!c.reflects) continue;
    CAPTURE(c.x);
    for (const DType dtype : floating) {
      CAPTURE(dtype);
      const Tensor dy = pixels(padded(c.x, c.pad), dtype);
      const Tensor got = pad_reflect_grad(dy, c.pad);
      check_everywhere(dy, pad_reflect_grad_reference(dy, c.pad),
                       [&](const Tensor& t) { return pad_reflect_grad(t, c.pad); });
      const Tensor want = pad_reflect_grad_reference(test::to_f64(dy), c.pad);
      CHECK(test::largest_error(got, want) <= sum_tolerance(dtype, dtype, 9, test::largest(want)));
    }
  }
}

TEST_CASE("flip is its specification along every axis of every rank") {
  const test::Guarded guarded;
  const Shape shapes[] = {{5}, {3, 7}, {2, 3, 4, 5}, {1, 4, 3, 16}, {2, 2, 3, 1}, {3, 2, 1, 150}};
  for (const Shape& shape : shapes) {
    for (int axis = 0; axis < shape.dim(); ++axis) {
      CAPTURE(shape);
      CAPTURE(axis);
      for (const DType dtype : copied) {
        const Tensor x = pixels(shape, dtype);
        const Tensor want = flip_reference(x, axis);
        check_everywhere(x, want, [&](const Tensor& t) { return flip(t, axis); });
        CHECK(same_bits(flip(x, axis - shape.dim()), want));
        CHECK(same_bits(flip(want, axis), x));
      }
    }
  }
  CHECK(flip(Tensor::zeros({0, 3}), 1).shape() == Shape{0, 3});
}

TEST_CASE("pad: known answers") {
  test::for_each_device([](Device) {
    const Tensor row = Tensor::from<float>({1, 2, 3, 4}, {1, 1, 4, 1});
    CHECK(same_bits(pad(row, {.left = 1, .right = 2}, -1),
                    Tensor::from<float>({-1, 1, 2, 3, 4, -1, -1}, {1, 1, 7, 1})));
    CHECK(same_bits(pad_reflect(row, {.left = 2, .right = 1}),
                    Tensor::from<float>({3, 2, 1, 2, 3, 4, 3}, {1, 1, 7, 1})));
    // Places 3 2 1 2 3 4 3 receive 1 10 100 ...: pixel 1 from 100, pixel 2 from 10 + 1000, ...
    const Tensor dy = Tensor::from<float>({1, 10, 100, 1000, 10000, 100000, 1000000}, {1, 1, 7, 1});
    CHECK(same_bits(pad_reflect_grad(dy, {.left = 2, .right = 1}),
                    Tensor::from<float>({100, 1010, 1010001, 100000}, {1, 1, 4, 1})));
    CHECK(same_bits(crop(row, 0, 1, 1, 2), Tensor::from<float>({2, 3}, {1, 1, 2, 1})));
    CHECK(same_bits(flip(row, 2), Tensor::from<float>({4, 3, 2, 1}, {1, 1, 4, 1})));
    // A constant that is no number, and bytes that clamp.
    const Tensor nan = pad(row, {.right = 1}, std::nan(""));
    CHECK(std::isnan(nan.reshape({5}).slice(4, 5).item()));
    const Tensor byte = Tensor::from<std::uint8_t>({7}, {1, 1, 1, 1});
    CHECK(
        same_bits(pad(byte, {.left = 1}, 300), Tensor::from<std::uint8_t>({255, 7}, {1, 1, 2, 1})));
    // Copies keep the sign of zero and the payload of NaN.
    const Tensor odd = Tensor::from<float>({-0.0f, std::nanf("5")}, {1, 1, 2, 1});
    CHECK(same_bits(crop(pad(odd, Padding::same(2)), 2, 2, 1, 2), odd));
    CHECK(same_bits(pad_reflect_grad(odd, {}), odd));
  });
}

TEST_CASE("pad and crop, pad_reflect and its gradient, flip and itself are adjoint") {
  test::for_each_device([](Device) {
    for (const PadCase& c : pad_cases()) {
      CAPTURE(c.x);
      const Tensor x = test::normals(c.x, DType::f64, 3);
      const Tensor y = test::normals(padded(c.x, c.pad), DType::f64, 4);
      const double by_pad = test::dot(pad(x, c.pad), y);
      CHECK(std::fabs(by_pad - test::dot(x, crop(y, c.pad.top, c.pad.left, c.x[1], c.x[2]))) <=
            close_to(by_pad));
      const Tensor z = test::normals(c.x, DType::f64, 5);
      const double by_flip = test::dot(flip(x, 2), z);
      CHECK(std::fabs(by_flip - test::dot(x, flip(z, 2))) <= close_to(by_flip));
      if (!c.reflects) continue;
      const double by_mirror = test::dot(pad_reflect(x, c.pad), y);
      CHECK(std::fabs(by_mirror - test::dot(x, pad_reflect_grad(y, c.pad))) <= close_to(by_mirror));
    }
  });
}

TEST_CASE("pad: the number of threads does not change a bit") {
  const ContextScope scope;
  const Shape shape{3, 61, 47, 24};
  const Padding border{3, 2, 1, 4};
  for (const DType dtype : floating) {
    const Tensor x = pixels(shape, dtype), y = pixels(padded(shape, border), dtype);
    const auto all = [&] {
      return std::vector<Tensor>{pad(x, border, 1),
                                 crop(y, 3, 1, 61, 47),
                                 pad_reflect(x, border),
                                 pad_reflect_grad(y, border),
                                 flip(x, 0),
                                 flip(x, 3)};
    };
    set_num_threads(1);
    const std::vector<Tensor> want = all();
    CHECK(same_bits(want[0], pad_reference(x, border, 1)));
    CHECK(same_bits(want[2], pad_reflect_reference(x, border)));
    CHECK(same_bits(want[3], pad_reflect_grad_reference(y, border)));
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      const std::vector<Tensor> got = all();
      for (std::size_t i = 0; i < got.size(); ++i) CHECK(same_bits(got[i], want[i]));
    }
  }
}

TEST_CASE("pad: messages name what was expected and what came") {
  const Tensor x = Tensor::zeros({2, 4, 5, 3});
  CHECK(test::error_of([&] {
          pad(Tensor::zeros({4, 5}), {});
        }) == "[pad] x is rank 4, (N, H, W, C), but it is (4, 5)");
  CHECK(test::error_of([&] {
          pad(Tensor::zeros({0, 4, 5, 3}), {});
        }) == "[pad] x has no elements: (0, 4, 5, 3)");
  CHECK(test::error_of([&] { pad(Tensor(), {}); }) == "[pad] x is undefined");
  CHECK(test::error_of([&] { pad(x, {.left = -1}); }) ==
        "[pad] padding is not negative, but top 0, bottom 0, left -1, right 0; crop takes pixels "
        "away");
  CHECK(test::error_of([&] {
          pad(Tensor::zeros({1, 1, 1, 1}, DType::i64), {});
        }) == "[pad] does not take i64; it takes f32, f64, bf16, u8");
  CHECK(test::error_of([&] { pad_reflect(x, {.top = 4}); }) ==
        "[pad_reflect] mirrors fewer pixels than an image of 4 x 5 has along an axis, but top 4, "
        "bottom 0, left 0, right 0");
  CHECK(test::error_of([&] { pad_reflect_grad(x, {.top = 3, .bottom = 1}); }) ==
        "[pad_reflect_grad] dy is (2, 4, 5, 3), which is nothing but padding of top 3, bottom 1, "
        "left "
        "0, right 0");
  CHECK(test::error_of([&] {
          pad_reflect_grad(Tensor::zeros({1, 1, 1, 1}, DType::u8), {});
        }) == "[pad_reflect_grad] dy is u8; it takes f32, f64 or bf16; cast it first");
  CHECK(test::error_of([&] { crop(x, 1, 0, 4, 5); }) ==
        "[crop] the window of 4 x 5 at row 1, column 0 leaves the images of (2, 4, 5, 3)");
  CHECK(test::error_of([&] { crop(x, 0, 0, 0, 5); }) ==
        "[crop] the window is at least 1 x 1, not 0 x 5");
  CHECK(test::error_of([&] { flip(x, 4); }) ==
        "[flip] axis 4 is none of the 4 axes of (2, 4, 5, 3)");
  CHECK(test::error_of([&] { flip(x, -5); }) ==
        "[flip] axis -5 is none of the 4 axes of (2, 4, 5, 3)");
}
