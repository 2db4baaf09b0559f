#include <doctest/doctest.h>

#include <vector>

#include "kernels/concat/cases.h"
#include "kernels/concat/concat.h"
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

std::vector<Tensor> to_cpu(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> there;
  for (const Tensor& t : tensors) there.push_back(t.to(Device::cpu()));
  return there;
}

// Calls f(c, x, begins) for each case and dtype, x on the device of the Context.
template <class F>
void for_all(F&& f) {
  for (const AxisCase& c : axis_cases()) {
    CAPTURE(c.x);
    CAPTURE(c.axis);
    for (const DType dtype : test::all_dtypes) {
      CAPTURE(dtype);
      f(c, test::counted(c.x, dtype));
    }
  }
}

}  // namespace

TEST_CASE("concat: the references by hand") {
  const Tensor a = Tensor::from<std::int32_t>({1, 2, 3, 4}, {2, 2});
  const Tensor b = Tensor::from<std::int32_t>({5, 6}, {2, 1});
  CHECK(same_bits(concat_reference(std::vector{a, b}, 1),
                  Tensor::from<std::int32_t>({1, 2, 5, 3, 4, 6}, {2, 3})));
  CHECK(same_bits(slice_reference(a, 1, 1, 2), Tensor::from<std::int32_t>({2, 4}, {2, 1})));
  CHECK(same_bits(place_reference(b, 1, 1, 3),
                  Tensor::from<std::int32_t>({0, 5, 0, 0, 6, 0}, {2, 3})));
}

TEST_CASE("concat, slice and split: along any axis, in every dtype, as the references") {
  const test::Guarded guarded;
  test::for_each_device([](Device device) {
    for_all([&](const AxisCase& c, const Tensor& x) {
      const Tensor on_cpu = x.to(Device::cpu());
      const std::vector<Tensor> parts = split(x, c.axis, c.extents);
      std::int64_t at = 0;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        CHECK(parts[i].device() == device);
        const Tensor want = slice_reference(on_cpu, c.axis, at, at + c.extents[i]);
        CHECK(same_bits(parts[i], want));
        test::for_each_order(
            device, [&] { CHECK(same_bits(slice(x, c.axis, at, at + c.extents[i]), want)); });
        CHECK(parts[i].shares_storage(x) == (c.axis == 0));
        at += c.extents[i];
      }
      const Tensor all = concat(parts, c.axis);
      CHECK(all.device() == device);
      CHECK(same_bits(all, x));
      CHECK(same_bits(all, concat_reference(to_cpu(parts), c.axis)));
      test::for_each_order(device, [&] { CHECK(same_bits(concat(parts, c.axis), x)); });
      if (x.numel() > 0) {
        CHECK(same_bits(slice(test::off_boundary(x), c.axis, 0, c.extents[0]), parts[0]));
      }
    });
  });
}

TEST_CASE("place: along any axis, in every dtype, as the reference") {
  const test::Guarded guarded;
  test::for_each_device([](Device device) {
    for_all([&](const AxisCase& c, const Tensor& x) {
      const Tensor on_cpu = x.to(Device::cpu());
      const std::int64_t n = x.size(c.axis);
      for (const std::int64_t before : {0, 1, 4}) {
        for (const std::int64_t after : {0, 4, 13}) {
          const Tensor want = place_reference(on_cpu, c.axis, before, before + n + after);
          const auto check = [&] {
            const Tensor got = place(x, c.axis, before, before + n + after);
            CHECK(got.device() == device);
            CHECK(same_bits(got, want));
          };
          before == 1 && after == 4 ? test::for_each_order(device, check) : check();
        }
      }
    });
  });
}

TEST_CASE("place is the adjoint of slice") {
  test::for_each_device([](Device) {
    for (const AxisCase& c : axis_cases()) {
      const std::int64_t n = c.extents[0], extent = c.x[c.axis];
      const Tensor x = test::normals(c.x, DType::f64, 1);
      const Tensor cut = slice(x, c.axis, extent - n, extent);
      const Tensor y = test::normals(cut.shape(), DType::f64, 2);
      const double left = test::dot(cut, y),
                   right = test::dot(x, place(y, c.axis, extent - n, extent));
      CHECK(std::fabs(left - right) <= 1e-12 * (1 + static_cast<double>(x.numel())));
    }
  });
}

TEST_CASE("stack puts a new axis anywhere") {
  test::for_each_device([](Device) {
    const std::vector<Tensor> parts{Tensor::from<float>({1, 2, 3, 4}, {2, 2}),
                                    Tensor::from<float>({5, 6, 7, 8}, {2, 2})};
    CHECK(same_bits(stack(parts), Tensor::from<float>({1, 2, 3, 4, 5, 6, 7, 8}, {2, 2, 2})));
    CHECK(same_bits(stack(parts, 1), Tensor::from<float>({1, 2, 5, 6, 3, 4, 7, 8}, {2, 2, 2})));
    CHECK(same_bits(stack(parts, -1), Tensor::from<float>({1, 5, 2, 6, 3, 7, 4, 8}, {2, 2, 2})));
    CHECK(stack(std::vector{Tensor::scalar(1), Tensor::scalar(2)}).shape() == Shape{2});
  });
}

TEST_CASE("concat of one part is a copy") {
  test::for_each_device([](Device) {
    const std::vector<Tensor> one{test::normals({3, 4}, DType::f32, 1)};
    CHECK(same_bits(concat(one), one[0]));
    CHECK_FALSE(concat(one).shares_storage(one[0]));
  });
}

TEST_CASE(
    "concat, slice and place: the number of threads does not change a bit; threads are used") {
  const ContextScope scope;
  const Tensor small = test::counted({700, 3, 37}, DType::f32);
  const Tensor large = test::counted({3, 5000, 300}, DType::f32);  // past the caches
  for (const Tensor& x : {small, large}) {
    const std::int64_t n = x.size(2);
    const std::vector<int> axes =
        x.numel() == small.numel() ? std::vector{0, 1, 2} : std::vector{1};
    for (const int axis : axes) {
      const auto run = [&] {
        const Tensor part = slice(x, axis, 1, x.size(axis));
        return std::vector{part, concat(std::vector{part, x}, axis),
                           place(x, axis, n, 2 * n + x.size(axis))};
      };
      set_num_threads(1);
      const auto one = run();
      CHECK(same_bits(slice(one[1], axis, x.size(axis) - 1, 2 * x.size(axis) - 1), x));
      CHECK(same_bits(slice(one[2], axis, n, n + x.size(axis)), x));
      for (const int threads : {2, 3}) {
        set_num_threads(threads);
        const std::int64_t before = Context::current().shared_regions;
        const auto many = run();
        for (std::size_t i = 0; i < many.size(); ++i) CHECK(same_bits(many[i], one[i]));
        CHECK((!has_threads || Context::current().shared_regions > before));
      }
    }
  }
}

TEST_CASE("concat: messages name what was expected and what came") {
  const auto join = [](std::vector<Tensor> parts, int axis = 0) {
    return test::error_of([&] { concat(parts, axis); });
  };
  CHECK(join({}) == "[concat] needs at least one part");
  CHECK(join({Tensor::zeros({2, 3}), Tensor::zeros({2, 4})}) ==
        "[concat] part 1 is (2, 4) but part 0 is (2, 3); all extents but the first agree");
  CHECK(join({Tensor::zeros({2, 3}), Tensor::zeros({3, 3})}, 1) ==
        "[concat] part 1 is (3, 3) but part 0 is (2, 3); all extents but that of axis 1 agree");
  CHECK(join({Tensor::zeros({2, 3}), Tensor::zeros({2})}, 1).find("part 1 is (2,)") !=
        std::string::npos);
  CHECK(join({Tensor::zeros({2})}, 1) == "[concat] there is no axis 1 in (2,)");
  CHECK(join({Tensor::zeros({2}), Tensor::zeros({2}, DType::f64)}) ==
        "[concat] part 1 is f64 on cpu but part 0 is f32 on cpu");
  CHECK(join({Tensor::zeros({2}), Tensor()}) == "[concat] part 1 is undefined");
  CHECK(join({Tensor(), Tensor::zeros({2})}) == "[concat] part 0 is undefined");
  CHECK(join({Tensor::scalar(1)}) ==
        "[concat] part 0 needs at least one dimension, the one to join along");
  const Tensor x = Tensor::zeros({2, 3});
  CHECK(test::error_of([&] { slice(x, 1, 2, 4); }) ==
        "[slice] [2, 4) is not inside axis 1 of (2, 3)");
  CHECK(test::error_of([&] { slice(x, -3, 0, 1); }) == "[slice] there is no axis -3 in (2, 3)");
  CHECK(test::error_of([&] { place(x, 1, 2, 4); }) ==
        "[place] axis 1 of (2, 3) does not fit into 4 from 2 on");
  CHECK(test::error_of([&] {
          split(x, 1, std::vector<std::int64_t>{1, 1});
        }) == "[split] the parts have 2 elements along axis 1 but (2, 3) has 3");
  CHECK(test::error_of([&] {
          stack(std::vector{x, Tensor::zeros({2})});
        }) == "[stack] part 1 is (2,) but part 0 is (2, 3)");
  CHECK(test::error_of([&] { stack(std::vector{x}, 3); }) ==
        "[stack] there is no place 3 for a new axis among those of (2, 3)");
}
