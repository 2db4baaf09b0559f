#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>

#include "kernels/reduce/cases.h"
#include "kernels/reduce/reduce.h"
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

// Equal but for the sign of zero, of one dtype.
bool same_values(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && test::largest_error(a, b) == 0.0;
}

// broadcast_to, element by element.
Tensor repeated(const Tensor& x, const Shape& shape) {
  const Tensor source = x.to(Device::cpu());
  Tensor out = Tensor::empty(shape, x.dtype(), Device::cpu());
  const int missing = shape.dim() - x.dim();
  const std::size_t size = size_of(x.dtype());
  std::byte* target = out.mutable_bytes();
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    std::int64_t rest = i, from = 0, pitch = 1;
    for (int axis = shape.dim() - 1; axis >= missing; --axis) {
      const std::int64_t step = rest % shape[axis];
      rest /= shape[axis];
      if (x.shape()[axis - missing] != 1) from += step * pitch;
      pitch *= x.shape()[axis - missing];
    }
    std::memcpy(target + static_cast<std::size_t>(i) * size,
                source.bytes() + static_cast<std::size_t>(from) * size, size);
  }
  return out;
}

}  // namespace

TEST_CASE("sum_to: exact on small integers") {
  const test::Guarded guarded;
  for (const ReduceCase& c : reduce_cases()) {
    CAPTURE(c.large);
    CAPTURE(c.small);
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
      const Tensor x = test::small_integers(c.large, dtype, 1);
      const Tensor want = sum_to_reference(x, c.small);
      test::for_each_device([&](Device device) {
        const Tensor there = x.to(device);
        CHECK(same_values(sum_to(there, c.small), want));
        if (x.numel() > 0 && c.terms() > 1) {
          CHECK(same_values(sum_to(test::off_boundary(there), c.small), want));
        }
      });
    }
  }
}

TEST_CASE("sum_to: random inputs stay within the tolerance") {
  const test::Guarded guarded;
  for (const ReduceCase& c : reduce_cases()) {
    CAPTURE(c.large);
    CAPTURE(c.small);
    for (const DType dtype : floating) {
      const Tensor x = test::normals(c.large, dtype, 2);
      const Tensor want = sum_to_reference(test::to_f64(x), c.small);
      test::for_each_device([&](Device device) {
        const Tensor there = x.to(device), got = sum_to(there, c.small);
        CHECK(got.device() == device);
        CHECK(got.dtype() == dtype);
        CHECK(test::largest_error(got, want) <= c.tolerance(dtype, test::largest(want)));
        if (!device.is_cuda()) return;
        test::for_each_order(device, [&] { CHECK(same_bits(sum_to(there, c.small), got)); });
        // The order of a sum is a matter of shapes, not of addresses.
        if (x.numel() > 0) CHECK(same_bits(sum_to(test::off_boundary(there), c.small), got));
      });
    }
  }
}

TEST_CASE("sum_to: a long sum of equal terms keeps its precision") {
  // One after another in f32 this ends at 2^24 and stays there.
  const Tensor x = Tensor::full({(1 << 24) + 8192}, 1, DType::f32);
  CHECK(sum_to(x, {}).item() == (1 << 24) + 8192);
  test::for_each_device([](Device) {
    const Tensor b = Tensor::full({100000}, 1, DType::bf16);
    CHECK(sum_to(b, {}).item() == 99840);  // 100000 rounded to bf16
    // Added one after another in f32, a million tenths are off by about one per cent.
    const Tensor tenths = Tensor::full({1000000}, 0.1, DType::f32);
    const double want = 1000000 * static_cast<double>(0.1f);
    CHECK(std::fabs(sum_to(tenths, {}).item() - want) <= 4 * epsilon(DType::f32) * want);
  });
}

TEST_CASE("sum_to and broadcast_to are adjoint") {
  for (const ReduceCase& c : reduce_cases()) {
    CAPTURE(c.large);
    CAPTURE(c.small);
    test::for_each_device([&](Device) {
      const Tensor x = test::normals(c.large, DType::f64, 3);
      const Tensor y = test::normals(c.small, DType::f64, 4);
      const double left = test::dot(sum_to(x, c.small), y);
      const double right = test::dot(x, broadcast_to(y, c.large));
      CHECK(std::fabs(left - right) <= 1e-11 * (1 + std::fabs(left)));
    });
  }
}

TEST_CASE("broadcast_to: known answers, every dtype") {
  const test::Guarded guarded;
  test::for_each_device([](Device device) {
    for (const DType dtype : floating) {
      for (const ReduceCase& c : reduce_cases()) {
        CAPTURE(c.large);
        CAPTURE(c.small);
        const Tensor x = test::small_integers(c.small, dtype, 6);
        const Tensor want = repeated(x, c.large);
        test::for_each_order(device, [&] { CHECK(same_bits(broadcast_to(x, c.large), want)); });
        if (x.numel() > 0 && want.numel() > x.numel()) {
          CHECK(same_bits(broadcast_to(test::off_boundary(x), c.large), want));
        }
      }
    }
    const Tensor column = Tensor::from<float>({1, 2}, {2, 1});
    CHECK(same_bits(broadcast_to(column, {2, 2, 3}),
                    Tensor::from<float>({1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2}, {2, 2, 3})));
  });
}

TEST_CASE("reduce: nothing to do shares storage") {
  test::for_each_device([](Device) {
    const Tensor x = Tensor::zeros({1, 4, 3});
    CHECK(sum_to(x, {4, 3}).shares_storage(x));
    CHECK(broadcast_to(x, {1, 1, 4, 3}).shares_storage(x));
  });
}

TEST_CASE("reduce: the number of threads does not change a bit") {
  const ContextScope scope;
  for (const ReduceCase& c : reduce_cases()) {
    for (const DType dtype : floating) {
      const Tensor x = test::normals(c.large, dtype, 5);
      set_num_threads(1);
      const Tensor sum = sum_to(x, c.small);
      const Tensor all = broadcast_to(sum, c.large);
      for (const int threads : {2, 3}) {
        set_num_threads(threads);
        CHECK(same_bits(sum_to(x, c.small), sum));
        CHECK(same_bits(broadcast_to(sum, c.large), all));
      }
    }
  }
}

TEST_CASE("reduce: a NaN reaches its sum and no other") {
  Tensor x = Tensor::full({1000, 3}, 1, DType::f32);
  x.mutable_data<float>()[3 * 997 + 1] = std::nanf("");
  test::for_each_device([&](Device device) {
    const Tensor sum = sum_to(x.to(device), {3}).to(Device::cpu());
    CHECK(sum.data<float>()[0] == 1000);
    CHECK(std::isnan(sum.data<float>()[1]));
    CHECK(sum.data<float>()[2] == 1000);
  });
}

TEST_CASE("reduce: messages name what was expected and what came") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK(test::error_of([&] { sum_to(x, {2}); }) ==
        "[sum_to] (2,) does not broadcast to (2, 3): aligned at the innermost dimension, extents 2 "
        "and 3 meet");
  CHECK(test::error_of([&] {
          sum_to(x, {1, 2, 3});
        }) == "[sum_to] (1, 2, 3) has more dimensions than (2, 3)");
  CHECK(test::error_of([&] { broadcast_to(x, {3}); }) ==
        "[broadcast_to] (2, 3) has more dimensions than (3,)");
  CHECK(test::error_of([&] { sum_to(Tensor::zeros({2}, DType::i32), {}); }) ==
        "[sum_to] the argument is i32; it takes f32, f64 or bf16; cast it first");
}
