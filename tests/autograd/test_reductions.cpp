// What the gradients of reductions are where they have a choice.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "kernels/softmax/softmax.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"

using namespace imago;

namespace {

Tensor gradient(const Var& y, const Var& x) {
  y.backward();
  return x.grad().tensor();
}

}  // namespace

TEST_CASE("max and min: equal elements share the gradient") {
  test::for_each_device([](Device) {
    const Var x = parameter(Tensor::from<float>({2, 5, 5, 1, 5, 5, 1, 1}, {2, 4}));
    CHECK(same_bits(gradient(ops::sum(ops::max(x, {1})), x),
                    Tensor::from<float>({0, 0.5, 0.5, 0, 0.5, 0.5, 0, 0}, {2, 4})));
    const Var z = parameter(x.tensor());
    CHECK(same_bits(gradient(ops::min(z), z),
                    Tensor::from<float>({0, 0, 0, 1.0f / 3, 0, 0, 1.0f / 3, 1.0f / 3}, {2, 4})));
    CHECK(same_bits(ops::argmax(x, 1), Tensor::from<std::int64_t>({1, 0}, {2})));
  });
}

TEST_CASE("argmax and one_hot undo each other, of rows and of a whole tensor") {
  test::for_each_device([](Device device) {
    const Tensor labels = Tensor::from<std::int64_t>({2, 0, 3, 3, 1, 2}, {3, 2});
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16, DType::i64, DType::u8}) {
      CAPTURE(dtype);
      const Tensor rows = ops::one_hot(labels, 4, dtype);
      CHECK(rows.dtype() == dtype);
      CHECK(rows.device() == device);
      CHECK(rows.shape() == Shape{3, 2, 4});
      CHECK(same_bits(ops::argmax(rows, -1), labels));
    }
    // The second of two rows of four, third class: place 6.
    const Var last = ops::one_hot(Tensor::from<std::int64_t>({2}, {1}), 4);
    const Var first = Tensor::zeros({1, 4});
    CHECK(ops::argmax(ops::concat({first, last})).item() == 6);
    const Var floats = Tensor::zeros({3});
    CHECK(test::error_of([&] { ops::one_hot(floats, 4); }) == "[one_hot] labels are i64, not f32");
  });
}

TEST_CASE("norm: the gradient at 0 is 0, of both orders and twice") {
  test::for_each_device([](Device) {
    for (const double p : {1.0, 2.0}) {
      const Var x = parameter(Tensor::from<float>({0, 0, 0, 3}, {2, 2}));
      const Var y = ops::norm(x, p, {1});
      const Var dx = grad({ops::sum(y)}, {x}, {}, {.create_graph = true})[0];
      CHECK(same_bits(dx.tensor(), Tensor::from<float>({0, 0, 0, 1}, {2, 2})));
      const Var twice = grad({ops::sum(dx)}, {x}, {}, {.allow_unused = true})[0];
      if (p == 2) {
        REQUIRE(twice.defined());
        const Tensor second = twice.tensor().to(Device::cpu());
        CHECK(second.data<float>()[0] == 0);
        CHECK(second.data<float>()[2] == doctest::Approx(1.0 / 3));
        CHECK(second.data<float>()[3] == doctest::Approx(0));
      }
    }
  });
}

TEST_CASE("logsumexp: bf16 shares of large logits add up to 1") {
  test::for_each_device([](Device) {
    // Exact in bf16; their logsumexp, 302.25, is not.
    const Tensor x = Tensor::from<float>({300, 300, 302, 298}, {1, 4});
    const Var narrow = parameter(kernels::cast(x, DType::bf16)), wide = parameter(x);
    for (const bool all : {false, true}) {
      const kernels::AxisList axes = all ? kernels::AxisList{} : kernels::AxisList{-1};
      const GradOptions graph{.create_graph = true};
      const Var dx = grad({ops::sum(ops::logsumexp(narrow, axes))}, {narrow}, {}, graph)[0];
      const Var want = grad({ops::sum(ops::logsumexp(wide, axes))}, {wide}, {}, graph)[0];
      CHECK(dx.dtype() == DType::bf16);
      CHECK(test::largest_error(want.tensor(), kernels::softmax(x)) <= 1e-4);
      // Half a unit in the last place of shares below 1.
      CHECK(test::largest_error(dx.tensor(), want.tensor()) <= 0x1p-9);
      const Var first = ops::cast(dx, DType::f32);
      const Tensor twice = grad({ops::sum(ops::mul(first, first))}, {narrow})[0].tensor();
      const Tensor want_twice = grad({ops::sum(ops::mul(want, want))}, {wide})[0].tensor();
      CHECK(test::largest(want_twice) > 0.1);
      CHECK(test::largest_error(twice, want_twice) <= 0x1p-7);
    }
  });
}

TEST_CASE("logsumexp: a row of only -inf has the gradient 0, and 0 again") {
  test::for_each_device([](Device) {
    const float inf = HUGE_VALF;
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
      CAPTURE(dtype);
      const Tensor values =
          Tensor::from<float>({0, -inf, std::log(3.0f), -inf, -inf, -inf}, {2, 3});
      const Var x = parameter(kernels::cast(values, dtype));
      const Var y = ops::logsumexp(x, {1});
      const Var dx = grad({ops::sum(y)}, {x}, {}, {.create_graph = true})[0];
      CHECK(test::to_f64(y.tensor()).data<double>()[1] == -HUGE_VAL);
      const double bound = dtype == DType::bf16 ? 0x1p-8 : 1e-6;
      CHECK(test::largest_error(dx.tensor(),
                                Tensor::from<float>({0.25f, 0, 0.75f, 0, 0, 0}, {2, 3})) <= bound);
      // Of the sum of squared shares p: 2 p (p - sum p^2).
      const Tensor twice = grad({ops::sum(ops::mul(dx, dx))}, {x})[0].tensor();
      CHECK(test::largest_error(
                twice, Tensor::from<float>({-0.1875f, 0, 0.1875f, 0, 0, 0}, {2, 3})) <= bound);
    }
  });
}

TEST_CASE("variance: known answers, bf16 too, and too few elements are refused") {
  test::for_each_device([](Device) {
    const Var x = Tensor::from<float>({1001, 1002, 1003, 1004}, {4});
    CHECK(ops::variance(x).item() == 1.25);
    CHECK(ops::variance(x, {0}, false, 1).item() == doctest::Approx(5.0 / 3));
    CHECK(ops::variance(ops::cast(x, DType::bf16)).dtype() == DType::bf16);
    CHECK(test::contains(test::error_of([&] { ops::variance(x, {}, false, 4); }),
                         "[variance] needs more than correction=4 elements"));
  });
}
