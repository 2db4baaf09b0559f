#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "kernels/resample/cases.h"
#include "kernels/resample/resample.h"
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

Tensor on_host(const Shape& shape, DType dtype, std::uint64_t seed) {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  return test::normals(shape, dtype, seed);
}

// f() gives `want`, in every order.
template <class F>
void check_same(Device device, const Tensor& want, F&& f) {
  const Tensor got = f();
  CHECK(got.device() == device);
  CHECK(same_bits(got, want));
  if (device.is_cuda()) test::for_each_order(device, [&] { CHECK(same_bits(f(), want)); });
}

double error_of_row(const std::vector<double>& want, const Tensor& got) {
  const Tensor wide = test::to_f64(got);
  if (wide.numel() != static_cast<std::int64_t>(want.size())) return std::nan("");
  double most = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double error = std::fabs(wide.data<double>()[i] - want[i]);
    if (!(error <= most)) most = error;
  }
  return most;
}

}  // namespace

TEST_CASE("resample is its specification, bit for bit, and near the sums in f64") {
  const test::Guarded guarded;
  for (const ResampleCase& c : resample_cases()) {
    for (const Filter filter : filters) {
      CAPTURE(c.x);
      CAPTURE(name_of(filter));
      for (const DType dtype : floating) {
        CAPTURE(dtype);
        const Tensor x = on_host(c.x, dtype, 1);
        const Tensor want = resample_reference(x, c.height, c.width, filter);
        test::for_each_device([&](Device device) {
          const Tensor there = x.to(device);
          check_same(device, want, [&] { return resample(there, c.height, c.width, filter); });
          CHECK(same_bits(resample(test::off_boundary(there), c.height, c.width, filter), want));
        });
        const Tensor wide = resample_reference(test::to_f64(x), c.height, c.width, filter);
        // Weights round as well, and add up to about 1.
        CHECK(test::largest_error(want, wide) <=
              2 * sum_tolerance(dtype, dtype, c.x[1] * c.x[2], test::largest(x)));
      }
    }
  }
}

TEST_CASE("resample_grad is its specification, bit for bit, and near the sums in f64") {
  const test::Guarded guarded;
  for (const ResampleCase& c : resample_cases()) {
    for (const Filter filter : filters) {
      CAPTURE(c.x);
      CAPTURE(name_of(filter));
      for (const DType dtype : floating) {
        CAPTURE(dtype);
        const Tensor dy = on_host({c.x[0], c.height, c.width, c.x[3]}, dtype, 2);
        const Tensor want = resample_grad_reference(dy, c.x[1], c.x[2], filter);
        test::for_each_device([&](Device device) {
          const Tensor there = dy.to(device);
          check_same(device, want, [&] { return resample_grad(there, c.x[1], c.x[2], filter); });
          CHECK(same_bits(resample_grad(test::off_boundary(there), c.x[1], c.x[2], filter), want));
        });
        const Tensor wide = resample_grad_reference(test::to_f64(dy), c.x[1], c.x[2], filter);
        const std::int64_t terms = c.height * c.width;
        CHECK(test::largest_error(want, wide) <=
              2 * sum_tolerance(dtype, dtype, terms, test::largest(wide) + test::largest(dy)));
      }
    }
  }
}

TEST_CASE("resample: known answers") {
  test::for_each_device([](Device) {
    const Tensor row = Tensor::from<float>({4, 8, 16}, {1, 1, 3, 1});
    CHECK(same_bits(resample(row, 1, 6, Filter::nearest),
                    Tensor::from<float>({4, 4, 8, 8, 16, 16}, {1, 1, 6, 1})));
    CHECK(same_bits(resample(row, 1, 6, Filter::bilinear),
                    Tensor::from<float>({4, 5, 7, 10, 14, 16}, {1, 1, 6, 1})));
    CHECK(same_bits(resample_grad(Tensor::from<float>({4, 8, 16, 32, 64, 128}, {1, 1, 6, 1}), 1, 3,
                                  Filter::bilinear),
                    // 4 + 6 + 4, 2 + 12 + 24 + 16, 8 + 48 + 128
                    Tensor::from<float>({14, 54, 184}, {1, 1, 3, 1})));
    const Tensor eight = Tensor::from<float>({1, 2, 3, 4, 5, 6, 7, 8}, {1, 1, 8, 1});
    // The centres of halves of the size lie between two pixels.
    CHECK(same_bits(resample(eight, 1, 4, Filter::nearest),
                    Tensor::from<float>({2, 4, 6, 8}, {1, 1, 4, 1})));
    CHECK(same_bits(resample(eight, 1, 4, Filter::bilinear),
                    Tensor::from<float>({1.5f, 3.5f, 5.5f, 7.5f}, {1, 1, 4, 1})));
    // Under the triangle 1 3 3 1 in eighths; at the ends its first weight is missing: 3 3 1 over 7.
    CHECK(error_of_row({12.0 / 7, 3.5, 5.5, 51.0 / 7},
                       resample(eight, 1, 4, Filter::bilinear_antialias)) <= 1e-6);
    // Every pixel of an image that is one value stays that value, to the last places.
    const Tensor flat = Tensor::full({1, 11, 7, 3}, 5);
    for (const Filter filter : filters) {
      CHECK(test::largest_error(resample(flat, 4, 19, filter), Tensor::full({1, 4, 19, 3}, 5)) <=
            4e-6);
    }
    const Tensor bytes = Tensor::from<std::uint8_t>({3, 200}, {1, 2, 1, 1});
    CHECK(same_bits(resample(bytes, 4, 2, Filter::nearest),
                    Tensor::from<std::uint8_t>({3, 3, 3, 3, 200, 200, 200, 200}, {1, 4, 2, 1})));
    CHECK(same_bits(resample(bytes, 4, 2, Filter::nearest),
                    resample_reference(bytes.to(Device::cpu()), 4, 2, Filter::nearest)));
  });
}

TEST_CASE("resample: exact on small integers where weights are powers of two") {
  test::for_each_device([](Device) {
    for (const DType dtype : floating) {
      // Multiples of 16, so that sixteenths of them are whole.
      const Tensor x = test::filled({2, 5, 3, 4}, dtype, [i = 0]() mutable {
        return static_cast<float>(16 * (i++ % 7 - 3));
      });
      const Tensor twice = resample(x, 10, 6, Filter::bilinear);
      CHECK(same_bits(test::to_f64(twice),
                      test::to_f64(resample_reference(test::to_f64(x), 10, 6, Filter::bilinear))));
      const Tensor sums = resample_grad(twice, 5, 3, Filter::nearest);
      CHECK(test::largest_error(
                sums, resample_grad_reference(test::to_f64(twice), 5, 3, Filter::nearest)) == 0);
    }
  });
}

TEST_CASE("resample and resample_grad are adjoint") {
  test::for_each_device([](Device) {
    for (const ResampleCase& c : resample_cases()) {
      for (const Filter filter : filters) {
        CAPTURE(c.x);
        CAPTURE(name_of(filter));
        const Tensor x = test::normals(c.x, DType::f64, 3);
        const Tensor dy = test::normals({c.x[0], c.height, c.width, c.x[3]}, DType::f64, 4);
        const double forward = test::dot(resample(x, c.height, c.width, filter), dy);
        const double backward = test::dot(x, resample_grad(dy, c.x[1], c.x[2], filter));
        CHECK(std::fabs(forward - backward) <= 1e-12 * (1 + std::fabs(forward)));
      }
    }
  });
}

TEST_CASE("resample: large extents have exact weights") {
  // One row of 5000 pixels that count up: bilinear interpolation finds the centres.
  std::vector<double> ramp(5000);
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<double>(i) + 0.5;
  const Tensor x = Tensor::from<double>(std::span<const double>(ramp), {1, 1, 5000, 1});
  for (const Filter filter : {Filter::bilinear, Filter::bilinear_antialias}) {
    for (const std::int64_t width : {7919, 4999, 313}) {
      const Tensor y = resample(x, 1, width, filter);
      double worst = 0;
      // Away from the border, where the triangle is cut off.
      for (std::int64_t i = width / 100 + 1; i < width - width / 100 - 1; ++i) {
        const double want = (static_cast<double>(i) + 0.5) * 5000 / static_cast<double>(width);
        const double error = std::fabs(y.data<double>()[i] - want);
        if (!(error <= worst)) worst = error;
      }
      // The antialiased triangle is a sum of samples, whose mean is off by a little.
      CHECK(worst <= (filter == Filter::bilinear ? 1e-11 : 0.02));
    }
  }
}

TEST_CASE("resample: the number of threads does not change a bit") {
  const ContextScope scope;
  for (const DType dtype : floating) {
    const Tensor x = on_host({3, 23, 31, 16}, dtype, 5);
    const auto all = [&] {
      std::vector<Tensor> results;
      for (const Filter filter : filters) {
        results.push_back(resample(x, 46, 62, filter));
        results.push_back(resample(x, 9, 14, filter));
        results.push_back(resample_grad(x, 46, 62, filter));
        results.push_back(resample_grad(x, 9, 14, filter));
      }
      return results;
    };
    set_num_threads(1);
    const std::vector<Tensor> want = all();
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      const std::vector<Tensor> got = all();
      for (std::size_t i = 0; i < got.size(); ++i) CHECK(same_bits(got[i], want[i]));
    }
  }
}

TEST_CASE("resample: messages name what was expected and what came") {
  const Tensor x = Tensor::zeros({2, 4, 5, 3});
  CHECK(test::error_of([&] {
          resample(Tensor::zeros({4, 5}), 2, 2, Filter::nearest);
        }) == "[resample] x is rank 4, (N, H, W, C), but it is (4, 5)");
  CHECK(test::error_of([&] { resample(x, 0, 2, Filter::bilinear); }) ==
        "[resample] the result is at least 1 x 1 and below 2^29 along an axis, not 0 x 2");
  CHECK(test::error_of([&] {
          resample(Tensor::zeros({1, 1, 1, 1}, DType::u8), 2, 2, Filter::bilinear);
        }) == "[resample] x is u8; it takes f32, f64 or bf16; cast it first");
  CHECK(test::error_of([&] {
          resample(Tensor::zeros({1, 1, 1, 1}, DType::i32), 2, 2, Filter::nearest);
        }) == "[resample] does not take i32; it takes f32, f64, bf16, u8");
  CHECK(test::error_of([&] { resample_grad(x, 2, -1, Filter::bilinear); }) ==
        "[resample_grad] the result is at least 1 x 1 and below 2^29 along an axis, not 2 x -1");
  CHECK(test::error_of([&] { resample_grad(Tensor(), 2, 2, Filter::bilinear); }) ==
        "[resample_grad] dy is undefined");
}
