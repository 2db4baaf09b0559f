#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "kernels/elementwise/elementwise.h"
#include "kernels/reduce/axes.h"
#include "kernels/reduce/axes_cases.h"
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
const DType all_types[] = {DType::f32, DType::f64, DType::bf16, DType::i32, DType::i64, DType::u8};
const Reduction choosing[] = {Reduction::max, Reduction::min, Reduction::argmax};
const Reduction summing[] = {Reduction::sum, Reduction::logsumexp, Reduction::norm1,
                             Reduction::norm2};
constexpr float nan_f = std::numeric_limits<float>::quiet_NaN();
constexpr float inf_f = std::numeric_limits<float>::infinity();

bool argmax_takes(const AxesCase& c) {
  return c.axes.size() == 1 || c.axes.empty();
}

Tensor reduce(Reduction op, const Tensor& x, const AxesCase& c, bool keepdim = false) {
  switch (op) {
    case Reduction::sum:
      return sum(x, c.axes, keepdim);
    case Reduction::max:
      return max(x, c.axes, keepdim);
    case Reduction::min:
      return min(x, c.axes, keepdim);
    case Reduction::argmax:
      return c.axes.empty() ? argmax(x) : argmax(x, c.axes[0], keepdim);
    case Reduction::logsumexp:
      return logsumexp(x, c.axes, keepdim);
    case Reduction::norm1:
      return norm(x, 1, c.axes, keepdim);
    case Reduction::norm2:
      return norm(x, 2, c.axes, keepdim);
  }
  return {};
}

}  // namespace

TEST_CASE("reductions: the largest, the smallest and their places are exact in every dtype") {
  const test::Guarded guarded;
  for (const AxesCase& c : axes_cases()) {
    CAPTURE(c.x);
    for (const DType dtype : all_types) {
      CAPTURE(dtype);
      // Integers in [0, 6], so that there are ties, and u8 takes them; below 0 where that exists.
      Tensor small = add_scalar(test::small_integers(c.x, DType::f64, 1), 3);
      if (dtype != DType::u8) small = add_scalar(small, -100);
      const Tensor x = cast(small, dtype);
      for (const Reduction op : choosing) {
        if (op == Reduction::argmax && !argmax_takes(c)) continue;
        const Tensor want = reduce_reference(op, x, c.axes);
        test::for_each_device([&](Device device) {
          const Tensor there = x.to(device), got = reduce(op, there, c);
          CHECK(got.device() == device);
          CHECK(got.dtype() == (op == Reduction::argmax ? DType::i64 : dtype));
          CHECK(same_bits(cast(got, DType::f64), want));
          if (!device.is_cuda()) return;
          CHECK(same_bits(reduce(op, test::off_boundary(there), c), got));
        });
      }
    }
  }
}

TEST_CASE("reductions: sums of integers are i64 and exact") {
  for (const AxesCase& c : axes_cases()) {
    CAPTURE(c.x);
    for (const DType dtype : {DType::i32, DType::i64, DType::u8}) {
      const Tensor x = cast(add_scalar(test::small_integers(c.x, DType::f64, 1), 3), dtype);
      const Tensor want = cast(reduce_reference(Reduction::sum, x, c.axes), DType::i64);
      test::for_each_device(
          [&](Device device) { CHECK(same_bits(sum(x.to(device), c.axes), want)); });
    }
  }
  // Beyond 32 bits, and of a byte beyond 8.
  test::for_each_device([](Device) {
    CHECK(sum(Tensor::full({5}, 2e9, DType::i32), {}).item() == 1e10);
    CHECK(sum(Tensor::full({300, 3}, 255, DType::u8), {0})
              .to(Device::cpu())
              .data<std::int64_t>()[2] == 76500);
  });
}

TEST_CASE("reductions: sums, norms and log sum e^x stay within the tolerance") {
  const test::Guarded guarded;
  for (const AxesCase& c : axes_cases()) {
    CAPTURE(c.x);
    for (const DType dtype : floating) {
      CAPTURE(dtype);
      const Tensor x = test::normals(c.x, dtype, 2);
      for (const Reduction op : summing) {
        CAPTURE(static_cast<int>(op));
        const Tensor want = reduce_reference(op, x, c.axes);
        test::for_each_device([&](Device device) {
          const Tensor there = x.to(device), got = reduce(op, there, c);
          CHECK(got.dtype() == dtype);
          CHECK(test::largest_error(got, want) <= c.tolerance(dtype, test::largest(want)));
          if (!device.is_cuda()) return;
          CHECK(same_bits(reduce(op, test::off_boundary(there), c), got));
          if (dtype == DType::f32) {
            test::for_each_order(device, [&] { CHECK(same_bits(reduce(op, there, c), got)); });
          }
        });
      }
    }
  }
}

TEST_CASE("reductions: keepdim keeps the axes, and axes may come in any order") {
  test::for_each_device([](Device) {
    const Tensor x = test::normals({2, 3, 4, 5}, DType::f64, 3);
    CHECK(sum(x, {1, -1}, true).shape() == Shape{2, 1, 4, 1});
    CHECK(max(x, {-1, 1}).shape() == Shape{2, 4});
    CHECK(same_bits(max(x, {-1, 1}), max(x, {1, 3}, true).reshape({2, 4})));
    CHECK(argmax(x, -2, true).shape() == Shape{2, 3, 1, 5});
    CHECK(argmax(x).shape() == Shape{});
    CHECK(logsumexp(x, {}, true).shape() == Shape{1, 1, 1, 1});
    CHECK(norm(x, 2, {0, 1, 2, 3}).shape() == Shape{});
    CHECK(norm(Tensor::full({1, 2, 1}, -3.0, DType::f64), 2, {0, 2})
              .to(Device::cpu())
              .data<double>()[1] == 3);
  });
}

TEST_CASE("reductions: NaN wins, infinities are numbers") {
  test::for_each_device([](Device) {
    for (const std::int64_t rows : {3, 67, 300}) {
      Tensor x = Tensor::full({rows, 2}, 1, DType::f32, Device::cpu());
      x.mutable_data<float>()[2 * (rows - 2)] = nan_f;
      x.mutable_data<float>()[2 * (rows - 1)] = inf_f;
      x.mutable_data<float>()[2 * (rows - 1) + 1] = -inf_f;
      for (const bool along_rows : {false, true}) {
        Tensor source = x;
        if (along_rows) {  // the first column alone
          source = Tensor::full({1, rows}, 1, DType::f32, Device::cpu());
          for (std::int64_t i = 0; i < rows; ++i)
            source.mutable_data<float>()[i] = x.data<float>()[2 * i];
        }
        source = source.to(Context::current().device);
        const int axis = along_rows ? 1 : 0;
        const auto first = [](const Tensor& t) { return test::to_f64(t).data<double>()[0]; };
        CHECK(std::isnan(first(max(source, {axis}))));
        CHECK(std::isnan(first(min(source, {axis}))));
        CHECK(std::isnan(first(logsumexp(source, {axis}))));
        CHECK(argmax(source, axis).to(Device::cpu()).data<std::int64_t>()[0] == rows - 2);
        if (along_rows) continue;
        CHECK(test::to_f64(min(source, {0})).data<double>()[1] == -HUGE_VAL);
        CHECK(test::to_f64(max(source, {0})).data<double>()[1] == 1);
        CHECK(test::to_f64(logsumexp(source, {0})).data<double>()[1] ==
              doctest::Approx(1 + std::log(static_cast<double>(rows - 1))));
      }
    }
    CHECK(logsumexp(Tensor::full({70}, -inf_f), {}).item() == -HUGE_VAL);
    CHECK(logsumexp(Tensor::full({70}, inf_f), {}).item() == HUGE_VAL);
    CHECK(logsumexp(Tensor::full({7}, 1000), {}).item() == doctest::Approx(1000 + std::log(7.0)));
    CHECK(logsumexp(Tensor::full({7, 2}, -1000), {0}).to(Device::cpu()).data<float>()[1] ==
          doctest::Approx(-1000 + std::log(7.0)));
    CHECK(logsumexp(Tensor::zeros({2, 0}), {1}).to(Device::cpu()).data<float>()[1] == -inf_f);
    CHECK(sum(Tensor::zeros({2, 0}, DType::i32), {1}).to(Device::cpu()).data<std::int64_t>()[1] ==
          0);
    CHECK(max(Tensor::full({70}, -inf_f), {}).item() == -HUGE_VAL);
    CHECK(argmax(Tensor::full({70}, -inf_f), 0).item() == 0);
  });
}

TEST_CASE("reductions: the number of threads does not change a bit") {
  const ContextScope scope;
  std::vector<AxesCase> cases = axes_cases();
  cases.push_back({{3000, 130}, {0}});
  cases.push_back({{3000, 130}, {1}});
  for (const AxesCase& c : cases) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const Tensor x = test::normals(c.x, dtype, 5);
      for (const auto& ops : {std::vector<Reduction>(std::begin(choosing), std::end(choosing)),
                              std::vector<Reduction>(std::begin(summing), std::end(summing))}) {
        for (const Reduction op : ops) {
          if (op == Reduction::argmax && !argmax_takes(c)) continue;
          set_num_threads(1);
          const Tensor want = reduce(op, x, c);
          for (const int threads : {2, 3}) {
            set_num_threads(threads);
            CHECK(same_bits(reduce(op, x, c), want));
          }
        }
      }
    }
  }
}

TEST_CASE("reductions: results are new tensors, even of one term") {
  test::for_each_device([](Device) {
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16, DType::i32, DType::i64}) {
      for (const Shape& shape : {Shape{}, Shape{1}, Shape{3, 1, 4}}) {
        const Tensor x = cast(add_scalar(Tensor::zeros(shape), 3), dtype);
        const AxisList axes = shape.dim() == 3 ? AxisList{1} : AxisList{};
        for (const Tensor& y : {sum(x, axes), sum(x, axes, true), max(x, axes), min(x, axes)}) {
          CHECK(!y.shares_storage(x));
          CHECK(same_bits(cast(y, dtype).reshape(shape), x));
        }
        if (!is_floating(dtype)) continue;
        for (const Tensor& y : {logsumexp(x, axes), norm(x, 1, axes), norm(x, 2, axes)}) {
          CHECK(!y.shares_storage(x));
        }
      }
    }
  });
}

TEST_CASE("reductions: messages name what was expected and what came") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK(test::error_of([&] { sum(x, {2}); }) == "[sum] axis 2 is out of range for (2, 3)");
  CHECK(test::error_of([&] { max(x, {0, -2}); }) == "[max] axis -2 of (2, 3) is named twice");
  CHECK(test::error_of([&] { argmax(x, -3); }) == "[argmax] axis -3 is out of range for (2, 3)");
  CHECK(test::error_of([&] {
          min(Tensor::zeros({2, 0}), {1});
        }) == "[min] no elements to choose from: (2, 0) has extent 0 in an axis that is reduced");
  CHECK(test::error_of([&] { logsumexp(Tensor::zeros({2}, DType::i32), {}); }) ==
        "[logsumexp] the argument is i32; it takes f32, f64 or bf16; cast it first");
  CHECK(test::error_of([&] { norm(x, 3, {}); }) == "[norm] takes p = 1 or 2, not 3");
}
