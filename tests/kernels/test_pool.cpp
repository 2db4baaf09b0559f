#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/pool/cases.h"
#include "kernels/pool/pool.h"
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

// f() gives `want` on `device`, in every order.
template <class F>
void check_same(Device device, const Tensor& want, F&& f) {
  CHECK(same_bits(f(), want));
  if (device.is_cuda()) test::for_each_order(device, [&] { CHECK(same_bits(f(), want)); });
}

// Small integers, so that there are ties to break, some of them NaN.
Tensor ties(const Shape& shape, DType dtype, std::uint64_t seed, bool nan) {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  RandomStream stream(seed);
  return test::filled(shape, dtype, [&] {
    const auto drawn = stream.below(nan ? 8 : 7);
    return drawn == 7 ? std::nanf("") : static_cast<float>(drawn) - 3.0f;
  });
}

Tensor on_host(const Shape& shape, DType dtype, std::uint64_t seed) {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  return test::normals(shape, dtype, seed);
}

}  // namespace

TEST_CASE("max_pool2d is its specification: values, taps, ties and NaN") {
  const test::Guarded guarded;
  for (const PoolCase& c : pool_cases()) {
    CAPTURE(c.x);
    for (const DType dtype : floating) {
      CAPTURE(dtype);
      for (const bool nan : {false, true}) {
        const Tensor x = ties(c.x, dtype, 1, nan);
        const MaxPool2dResult want = max_pool2d_reference(x, c.params);
        test::for_each_device([&](Device device) {
          const Tensor there = x.to(device);
          const MaxPool2dResult got = max_pool2d(there, c.params);
          CHECK(got.y.device() == device);
          CHECK(same_bits(got.taps, want.taps));
          check_same(device, want.y, [&] { return max_pool2d(there, c.params).y; });
          CHECK(same_bits(max_pool2d(test::off_boundary(there), c.params).taps, want.taps));
          const MaxPool2dResult bare = max_pool2d(there, c.params, false);
          CHECK(same_bits(bare.y, want.y));
          CHECK_FALSE(bare.taps.defined());
        });
      }
    }
  }
}

TEST_CASE("max_pool2d_grad and max_pool2d_pick are their specifications") {
  const test::Guarded guarded;
  for (const PoolCase& c : pool_cases()) {
    CAPTURE(c.x);
    for (const DType dtype : floating) {
      CAPTURE(dtype);
      const Tensor x = ties(c.x, dtype, 2, false);
      const MaxPool2dResult pooled = max_pool2d_reference(x, c.params);
      const Tensor dy = on_host(pooled.y.shape(), dtype, 3), z = on_host(c.x, dtype, 4);
      const Tensor dx = max_pool2d_grad_reference(dy, pooled.taps, c.x[1], c.x[2], c.params);
      const Tensor picked = max_pool2d_pick_reference(z, pooled.taps, c.params);
      CHECK(same_bits(max_pool2d_pick_reference(x, pooled.taps, c.params), pooled.y));
      test::for_each_device([&](Device device) {
        const Tensor g = dy.to(device), taps = pooled.taps.to(device), values = z.to(device);
        check_same(device, dx, [&] { return max_pool2d_grad(g, taps, c.x[1], c.x[2], c.params); });
        CHECK(same_bits(max_pool2d_grad(test::off_boundary(g), test::off_boundary(taps), c.x[1],
                                        c.x[2], c.params),
                        dx));
        check_same(device, picked, [&] { return max_pool2d_pick(values, taps, c.params); });
        CHECK(same_bits(
            max_pool2d_pick(test::off_boundary(values), test::off_boundary(taps), c.params),
            picked));
      });
      const Tensor wide =
          max_pool2d_grad_reference(test::to_f64(dy), pooled.taps, c.x[1], c.x[2], c.params);
      const std::int64_t terms = c.params.kernel_h * c.params.kernel_w;
      CHECK(test::largest_error(dx, wide) <=
            sum_tolerance(dtype, dtype, terms, test::largest(wide)));
    }
  }
}

TEST_CASE("avg_pool2d and its gradient are their specifications, near the sums in f64") {
  const test::Guarded guarded;
  for (const PoolCase& c : pool_cases()) {
    CAPTURE(c.x);
    const std::int64_t terms = c.params.kernel_h * c.params.kernel_w;
    for (const DType dtype : floating) {
      CAPTURE(dtype);
      const Tensor x = on_host(c.x, dtype, 5);
      const Tensor y = avg_pool2d_reference(x, c.params), dy = on_host(y.shape(), dtype, 6);
      const Tensor dx = avg_pool2d_grad_reference(dy, c.x[1], c.x[2], c.params);
      test::for_each_device([&](Device device) {
        const Tensor there = x.to(device), g = dy.to(device);
        check_same(device, y, [&] { return avg_pool2d(there, c.params); });
        CHECK(same_bits(avg_pool2d(test::off_boundary(there), c.params), y));
        check_same(device, dx, [&] { return avg_pool2d_grad(g, c.x[1], c.x[2], c.params); });
        CHECK(same_bits(avg_pool2d_grad(test::off_boundary(g), c.x[1], c.x[2], c.params), dx));
      });
      // The share of a window rounds as well, and so does the product with it.
      const Tensor y64 = avg_pool2d_reference(test::to_f64(x), c.params);
      const Tensor dx64 = avg_pool2d_grad_reference(test::to_f64(dy), c.x[1], c.x[2], c.params);
      CHECK(test::largest_error(y, y64) <=
            sum_tolerance(dtype, dtype, terms + 2, test::largest(x)));
      CHECK(test::largest_error(dx, dx64) <=
            sum_tolerance(dtype, dtype, terms + 2, test::largest(dy)));
    }
  }
}

TEST_CASE("pool: known answers") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  test::for_each_device([=](Device) {
    const Tensor x = Tensor::from<float>({1, 5, 3, 2,  //
                                          5, 0, 3, 3,  //
                                          -inf, -inf, nan, 9},
                                         {1, 3, 4, 1});
    const Pool2dParams k2{.pad = {0, 1, 0, 0}};
    const MaxPool2dResult r = max_pool2d(x, k2);
    const Tensor y = r.y.to(Device::cpu());
    CHECK(y.shape() == Shape{1, 2, 2, 1});
    CHECK(y.data<float>()[0] == 5);
    CHECK(y.data<float>()[1] == 3);
    CHECK(y.data<float>()[2] == -inf);
    CHECK(std::isnan(y.data<float>()[3]));
    CHECK(same_bits(r.taps, Tensor::from<std::uint8_t>({1, 0, 0, 0}, {1, 2, 2, 1})));
    const Tensor dy = Tensor::from<float>({1, 2, 3, 4}, {1, 2, 2, 1});
    CHECK(same_bits(max_pool2d_grad(dy, r.taps, 3, 4, k2),
                    Tensor::from<float>({0, 1, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0}, {1, 3, 4, 1})));
    // Means of 2 x 2 of which the padding is half.
    const Tensor ones = Tensor::full({1, 1, 2, 1}, 8);
    const Pool2dParams half{.pad = {1, 0, 0, 0}};
    Pool2dParams inside = half;
    inside.count_include_pad = false;
    CHECK(avg_pool2d(ones, half).item() == 4);
    CHECK(avg_pool2d(ones, inside).item() == 8);
    CHECK(same_bits(avg_pool2d_grad(Tensor::full({1, 1, 1, 1}, 8), 1, 2, half),
                    Tensor::from<float>({2, 2}, {1, 1, 2, 1})));
    CHECK(same_bits(avg_pool2d_grad(Tensor::full({1, 1, 1, 1}, 8), 1, 2, inside),
                    Tensor::from<float>({4, 4}, {1, 1, 2, 1})));
  });
}

TEST_CASE("pool: gradients are adjoint to the linear forms") {
  test::for_each_device([](Device) {
    for (const PoolCase& c : pool_cases()) {
      CAPTURE(c.x);
      const Tensor x = test::normals(c.x, DType::f64, 7);
      const MaxPool2dResult pooled = max_pool2d(x, c.params);
      const Tensor dy = test::normals(pooled.y.shape(), DType::f64, 8);
      const double by_max = test::dot(pooled.y, dy);
      CHECK(std::fabs(by_max -
                      test::dot(x, max_pool2d_grad(dy, pooled.taps, c.x[1], c.x[2], c.params))) <=
            1e-12 * (1 + std::fabs(by_max)));
      const double by_mean = test::dot(avg_pool2d(x, c.params), dy);
      CHECK(std::fabs(by_mean - test::dot(x, avg_pool2d_grad(dy, c.x[1], c.x[2], c.params))) <=
            1e-12 * (1 + std::fabs(by_mean)));
    }
  });
}

TEST_CASE("pool: the number of threads does not change a bit") {
  const ContextScope scope;
  const Pool2dParams params{.kernel_h = 3, .kernel_w = 3, .pad = {1, 1, 1, 1}};
  const auto compare = [&](const Shape& shape, DType dtype) {
    CAPTURE(shape);
    CAPTURE(dtype);
    const Tensor x = on_host(shape, dtype, 9);
    const auto all = [&] {
      const MaxPool2dResult r = max_pool2d(x, params);
      return std::vector<Tensor>{r.y,
                                 r.taps,
                                 max_pool2d_grad(r.y, r.taps, shape[1], shape[2], params),
                                 max_pool2d_pick(x, r.taps, params),
                                 avg_pool2d(x, params),
                                 avg_pool2d_grad(r.y, shape[1], shape[2], params)};
    };
    set_num_threads(1);
    const std::vector<Tensor> want = all();
    CHECK(same_bits(want[0], max_pool2d_reference(x, params).y));
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      const std::vector<Tensor> got = all();
      for (std::size_t i = 0; i < got.size(); ++i) CHECK(same_bits(got[i], want[i]));
    }
  };
  for (const DType dtype : floating) {
    compare({3, 41, 37, 24}, dtype);
    compare({3, 99, 90, 3}, dtype);
  }
}

TEST_CASE("pool: messages name what was expected and what came") {
  const Tensor x = Tensor::zeros({2, 4, 5, 3});
  CHECK(test::error_of([&] {
          max_pool2d(Tensor::zeros({4, 5}), {});
        }) == "[max_pool2d] x is rank 4, (N, H, W, C), but it is (4, 5)");
  CHECK(test::error_of([&] {
          avg_pool2d(Tensor::zeros({1, 2, 2, 1}, DType::u8), {});
        }) == "[avg_pool2d] x is u8; it takes f32, f64 or bf16; cast it first");
  CHECK(test::error_of([&] { avg_pool2d(x, {.kernel_h = 5}); }) ==
        "[avg_pool2d] a window reaches over 5 rows but the input has 4 and 0 of padding; is the "
        "image "
        "too small?");
  CHECK(test::error_of([&] { max_pool2d(x, {.stride_w = 0}); }) ==
        "[max_pool2d] the stride is at least 1 x 1, not 2 x 0");
  CHECK(test::error_of([&] { max_pool2d(x, {.pad = {.left = -1}}); }) ==
        "[max_pool2d] padding is not negative, but top 0, bottom 0, left -1, right 0; crop takes "
        "pixels away");
  CHECK(test::error_of([&] { max_pool2d(x, {.pad = {.left = 2}}); }) ==
        "[max_pool2d] window 0 of 2 columns sees nothing but padding; the input has 5 and padding "
        "of 2 "
        "and 0");
  CHECK(
      test::error_of([&] { avg_pool2d_grad(x, 8, 8, {}); }) ==
      "[avg_pool2d_grad] images of (2, 8, 8, 3) pool to (2, 4, 4, 3), but dy is (2, 4, 5, 3); are "
      "the parameters those of the forward pass?");
  CHECK(test::error_of([&] {
          max_pool2d_grad(x, Tensor::zeros({2, 4, 5, 3}), 8, 10, {});
        }) ==
        "[max_pool2d_grad] taps are (2, 4, 5, 3) u8, but (2, 4, 5, 3) f32; were they made with "
        "these parameters?");
  CHECK(test::error_of([&] { max_pool2d_pick(x, Tensor(), {}); }) ==
        "[max_pool2d_pick] taps are undefined; max_pool2d gives them");
}
