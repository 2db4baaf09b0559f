#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "kernels/elementwise/elementwise.h"
#include "kernels/gather/cases.h"
#include "kernels/gather/gather.h"
#include "kernels/parallel.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/index_inputs.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;

namespace {

const std::vector<DType> sum_dtypes{DType::f32, DType::f64, DType::bf16};

Tensor on_cpu(const Tensor& t) {
  return t.to(Device::cpu());
}

std::int64_t extent_of(const Shape& x, int axis) {
  return x[axis];
}

}  // namespace

TEST_CASE("gather: the references by hand") {
  const Tensor x = Tensor::from<float>({1, 2, 3, 4, 5, 6}, {3, 2});
  const Tensor rows = Tensor::from<std::int64_t>({2, 0, 2}, {3});
  CHECK(same_bits(index_select_reference(x, 0, rows),
                  Tensor::from<float>({5, 6, 1, 2, 5, 6}, {3, 2})));
  CHECK(same_bits(index_add_reference(x, 0, rows, 4),
                  Tensor::from<float>({3, 4, 0, 0, 6, 8, 0, 0}, {4, 2})));
  const Tensor columns = Tensor::from<std::int64_t>({1, 0, 0}, {3, 1});
  CHECK(same_bits(gather_reference(x, 1, columns), Tensor::from<float>({2, 3, 5}, {3, 1})));
  const Tensor places = Tensor::from<std::int64_t>({1, 1, 0, 1, 1, 1}, {3, 2});
  CHECK(same_bits(scatter_add_reference(x, 1, places, 2),
                  Tensor::from<float>({0, 3, 3, 4, 0, 11}, {3, 2})));
}

TEST_CASE("index_select and gather: as the references, in every dtype and order") {
  const test::Guarded guarded;
  test::for_each_device([](Device device) {
    for (const DType dtype : test::all_dtypes) {
      CAPTURE(dtype);
      for (const SelectCase& c : select_cases()) {
        CAPTURE(c.x);
        const Tensor x = test::counted(c.x, dtype);
        const Tensor indices = test::indices_below(extent_of(c.x, c.axis), c.indices, 3);
        const Tensor want = index_select_reference(on_cpu(x), c.axis, on_cpu(indices));
        test::for_each_order(device,
                             [&] { CHECK(same_bits(index_select(x, c.axis, indices), want)); });
        if (x.numel() > 0) {
          CHECK(same_bits(index_select(test::off_boundary(x), c.axis, indices), want));
        }
      }
      for (const GatherCase& c : gather_cases()) {
        CAPTURE(c.x);
        const Tensor x = test::counted(c.x, dtype);
        const Tensor indices = test::indices_below(extent_of(c.x, c.axis), c.indices(), 4);
        const Tensor want = gather_reference(on_cpu(x), c.axis, on_cpu(indices));
        test::for_each_order(device, [&] { CHECK(same_bits(gather(x, c.axis, indices), want)); });
      }
    }
  });
}

TEST_CASE("index_add and scatter_add: the reference's bits, on random numbers, in every order") {
  const test::Guarded guarded;
  test::for_each_device([](Device device) {
    for (const DType dtype : sum_dtypes) {
      CAPTURE(dtype);
      for (const SelectCase& c : select_cases()) {
        CAPTURE(c.x);
        const std::int64_t extent = extent_of(c.x, c.axis);
        const Tensor indices = test::indices_below(extent, c.indices, 3);
        const Shape shape = index_select(Tensor::zeros(c.x), c.axis, indices).shape();
        const Tensor x = test::normals(shape, dtype, 5);
        const Tensor want = index_add_reference(on_cpu(x), c.axis, on_cpu(indices), extent);
        CHECK(want.shape() == c.x);
        test::for_each_order(
            device, [&] { CHECK(same_bits(index_add(x, c.axis, indices, extent), want)); });
      }
      for (const GatherCase& c : gather_cases()) {
        CAPTURE(c.x);
        const std::int64_t extent = extent_of(c.x, c.axis);
        const Tensor indices = test::indices_below(extent, c.indices(), 4);
        const Tensor x = test::normals(c.indices(), dtype, 6);
        const Tensor want = scatter_add_reference(on_cpu(x), c.axis, on_cpu(indices), extent);
        test::for_each_order(
            device, [&] { CHECK(same_bits(scatter_add(x, c.axis, indices, extent), want)); });
      }
    }
  });
}

TEST_CASE("index_add is the adjoint of index_select, scatter_add that of gather") {
  test::for_each_device([](Device) {
    for (const SelectCase& c : select_cases()) {
      const std::int64_t extent = extent_of(c.x, c.axis);
      const Tensor indices = test::indices_below(extent, c.indices, 1);
      const Tensor x = test::normals(c.x, DType::f64, 1);
      const Tensor picked = index_select(x, c.axis, indices);
      const Tensor y = test::normals(picked.shape(), DType::f64, 2);
      const double left = test::dot(picked, y);
      const double right = test::dot(x, index_add(y, c.axis, indices, extent));
      CHECK(std::fabs(left - right) <= 1e-12 * (1 + static_cast<double>(y.numel())));
    }
    for (const GatherCase& c : gather_cases()) {
      const std::int64_t extent = extent_of(c.x, c.axis);
      const Tensor indices = test::indices_below(extent, c.indices(), 1);
      const Tensor x = test::normals(c.x, DType::f64, 1);
      const Tensor y = test::normals(c.indices(), DType::f64, 2);
      const double left = test::dot(gather(x, c.axis, indices), y);
      const double right = test::dot(x, scatter_add(y, c.axis, indices, extent));
      CHECK(std::fabs(left - right) <= 1e-12 * (1 + static_cast<double>(y.numel())));
    }
  });
}

TEST_CASE("one_hot: a 1 at each label, in every dtype") {
  const test::Guarded guarded;
  test::for_each_device([](Device device) {
    for (const DType dtype : test::all_dtypes) {
      const Tensor labels = test::indices_below(7, {5, 61}, 1);
      const Tensor got = one_hot(labels, 7, dtype);
      CHECK(got.device() == device);
      CHECK(got.dtype() == dtype);
      Tensor want = Tensor::zeros({5, 61, 7}, DType::f64).to(Device::cpu());
      const Tensor host = on_cpu(labels);
      for (std::int64_t i = 0; i < labels.numel(); ++i) {
        want.mutable_data<double>()[i * 7 + host.data<std::int64_t>()[i]] = 1;
      }
      CHECK(same_bits(cast(on_cpu(got), DType::f64), want));
    }
    CHECK(one_hot(Tensor::from<std::int64_t>({0}, {}), 1, DType::f32).item() == 1.0);
  });
}

TEST_CASE("gather: the number of threads does not change a bit, and threads are used") {
  const ContextScope scope;
  const auto compare = [](auto&& run) {
    set_num_threads(1);
    const Tensor one = run();
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      const std::int64_t before = Context::current().shared_regions;
      CHECK(same_bits(run(), one));
      CHECK((!has_threads || Context::current().shared_regions > before));
    }
  };
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const Shape& shape :
         {Shape{1, 2000, 96}, Shape{1, 60000, 3}, Shape{9, 700, 40}, Shape{301, 700}}) {
      CAPTURE(shape);
      const Tensor x = test::normals(shape, dtype, 1);
      const Tensor rows = test::indices_below(50, {shape[1]}, 2);
      const Tensor places = test::indices_below(50, shape, 3);
      compare([&] { return index_add(x, 1, rows, 50); });
      compare([&] { return scatter_add(x, 1, places, 50); });
      compare([&] { return index_select(x, 1, rows); });
      compare([&] { return gather(x, 1, places); });
      compare([&] { return one_hot(rows, 200, dtype); });
    }
  }
  // Past the caches.
  const Tensor table = test::normals({300, 128}, DType::f32, 1);
  const Tensor rows = test::indices_below(300, {35000}, 2);
  set_num_threads(2);
  CHECK(same_bits(index_select(table, 0, rows), index_select_reference(table, 0, rows)));
}

TEST_CASE("gather on the CPU: an index outside of the range is named") {
  const Tensor x = Tensor::zeros({5, 4});
  const Tensor rows = Tensor::from<std::int64_t>({0, 1, 7, 9}, {2, 2});
  CHECK(test::error_of([&] { index_select(x, 0, rows); }) ==
        "[index_select] index 7 at position (1, 0) of (2, 2) is outside of [0, 5), the range of "
        "axis 0 of (5, 4)");
  CHECK(test::error_of([&] {
          index_add(Tensor::zeros({2, 2, 4}), 0, rows, 7);
        }) ==
        "[index_add] index 7 at position (1, 0) of (2, 2) is outside of [0, 7), the range of "
        "axis 0 of (7, 4)");
  const Tensor places = Tensor::from<std::int64_t>({0, 1, 2, 3, -1}, {5, 1});
  CHECK(test::error_of([&] { gather(x, 1, places); }) ==
        "[gather] index -1 at position (4, 0) of (5, 1) is outside of [0, 4), the range of axis 1 "
        "of (5, 4)");
  CHECK(test::error_of([&] {
          scatter_add(Tensor::zeros({5, 1}), 1, places, 4);
        }) ==
        "[scatter_add] index -1 at position (4, 0) of (5, 1) is outside of [0, 4), the range of "
        "axis 1 of (5, 4)");
  CHECK(test::error_of([&] { one_hot(rows, 8, DType::f32); }) ==
        "[one_hot] index 9 at position (1, 1) of (2, 2) is outside of [0, 8), the range of the "
        "classes");
}

#if IMAGO_WITH_DEVICE
TEST_CASE("gather on CUDA: an index outside of the range shows as NaN, and nothing else changes") {
  const test::Guarded guarded;
  const ContextScope scope;
  Context::current().device = Device::cuda();
  const std::int64_t far = std::int64_t{1} << 62;
  for (const std::int64_t bad : {std::int64_t{5}, std::int64_t{-1}, far, -far}) {
    CAPTURE(bad);
    const Tensor rows = Tensor::from<std::int64_t>({4, bad, 0}, {3});
    for (const DType dtype : sum_dtypes) {
      CAPTURE(dtype);
      const Tensor x = test::normals({5, 3}, dtype, 1);
      const Tensor got = index_select(x, 0, rows);
      CHECK(same_bits(got.slice(0, 1), x.slice(4, 5)));
      CHECK(same_bits(got.slice(2, 3), x.slice(0, 1)));
      const Tensor chosen = test::to_f64(got.slice(1, 2));
      for (int i = 0; i < 3; ++i) CHECK(std::isnan(chosen.data<double>()[i]));

      const Tensor places = Tensor::from<std::int64_t>({4, bad, 0, 1}, {2, 2});
      const Tensor picked = test::to_f64(gather(test::normals({5, 2}, dtype, 2), 0, places));
      for (int i = 0; i < 4; ++i) CHECK(std::isnan(picked.data<double>()[i]) == (i == 1));

      const Tensor sums = test::to_f64(index_add(test::normals({3, 35}, dtype, 3), 0, rows, 5));
      for (int i = 0; i < 5 * 35; ++i) CHECK(std::isnan(sums.data<double>()[i]));
      const Tensor columns =
          test::to_f64(scatter_add(test::normals({2, 2}, dtype, 4), 0, places, 5));
      for (int i = 0; i < 10; ++i) CHECK(std::isnan(columns.data<double>()[i]) == (i % 2 == 1));
      const Tensor hot = test::to_f64(one_hot(rows, 5, dtype));
      for (int i = 0; i < 15; ++i) CHECK(std::isnan(hot.data<double>()[i]) == (i / 5 == 1));
    }
    const Tensor labels = Tensor::from<std::int64_t>({10, 11, 12}, {3});
    const Tensor three = Tensor::from<std::int64_t>({2, bad < 0 ? bad : 3}, {2});
    CHECK(same_bits(index_select(labels, 0, three), Tensor::from<std::int64_t>({12, -1}, {2})));
  }
}
#endif

TEST_CASE("gather: messages name what was expected and what came") {
  const Tensor x = Tensor::zeros({5, 4}), two = Tensor::zeros({2}, DType::i64);
  CHECK(test::error_of([&] { index_select(x, 2, two); }) ==
        "[index_select] there is no axis 2 in (5, 4)");
  CHECK(test::error_of([&] { index_select(x, 0, Tensor::zeros({2}, DType::i32)); }) ==
        "[index_select] indices are i64, not i32");
  CHECK(test::error_of([&] { index_add(x, 0, two, 3); }) ==
        "[index_add] indices (2,) do not stand at axis 0 of x (5, 4)");
  CHECK(test::error_of([&] {
          index_add(Tensor::zeros({2, 4}, DType::i32), 0, two, 3);
        }) == "[index_add] sums f32, f64 or bf16, not i32; cast it first");
  CHECK(test::error_of([&] {
          gather(x, 1, Tensor::zeros({4, 2}, DType::i64));
        }) == "[gather] indices are (4, 2) but x is (5, 4); all extents but that of axis 1 agree");
  CHECK(test::error_of([&] { gather(x, 0, two); }).find("indices are (2,)") != std::string::npos);
  CHECK(test::error_of([&] {
          scatter_add(x, 0, Tensor::zeros({5, 1}, DType::i64), 4);
        }) == "[scatter_add] indices are (5, 1) but x is (5, 4); each element has its own index");
  CHECK(test::error_of([&] { one_hot(two, 0, DType::f32); }) ==
        "[one_hot] needs at least one class, not 0");
  CHECK(test::error_of([&] { one_hot(x, 3, DType::f32); }) == "[one_hot] labels are i64, not f32");
}
