#include <doctest/doctest.h>

#include <cmath>

#include "kernels/elementwise/elementwise.h"
#include "kernels/softmax/cases.h"
#include "kernels/softmax/softmax.h"
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
const Softmax all[] = {Softmax::softmax, Softmax::log_softmax, Softmax::softmax_grad,
                       Softmax::log_softmax_grad};

// Arguments like those that occur: any logits, any dy, results of softmax or of its logarithm.
Tensor first(const SoftmaxCase& c, DType dtype) {
  return cast(scale(test::normals(c.x, DType::f64, 1), 3), dtype);
}
Tensor second(const SoftmaxCase& c, Softmax op, DType dtype) {
  const Tensor x = test::normals(c.x, DType::f64, 2);
  const bool of_log = op == Softmax::log_softmax_grad;
  return cast(softmax_reference(of_log ? Softmax::log_softmax : Softmax::softmax, x, x, c.axis),
              dtype);
}

}  // namespace

TEST_CASE("softmax: agrees with the reference in f64, wherever tensors begin") {
  const test::Guarded guarded;
  for (const SoftmaxCase& c : softmax_cases()) {
    CAPTURE(c.x);
    for (const DType dtype : floating) {
      const Tensor a = first(c, dtype);
      for (const Softmax op : all) {
        CAPTURE(name_of(op));
        const Tensor b = second(c, op, dtype);
        const Tensor want = softmax_reference(op, test::to_f64(a), test::to_f64(b), c.axis);
        const double bound = c.tolerance(dtype, std::fmax(test::largest(want), 1.0));
        test::for_each_device([&](Device device) {
          const Tensor pa = a.to(device), pb = b.to(device);
          const Tensor got = softmax_any(op, pa, pb, c.axis);
          CHECK(got.dtype() == dtype);
          CHECK(test::largest_error(got, want) <= bound);
          if (dtype == DType::f64) return;
          const Tensor off =
              softmax_any(op, test::off_boundary(pa), test::off_boundary(pb), c.axis);
          CHECK(test::largest_error(off, want) <= bound);
          if (!device.is_cuda() || dtype == DType::bf16) return;
          test::for_each_order(device,
                               [&] { CHECK(same_bits(softmax_any(op, pa, pb, c.axis), got)); });
        });
      }
    }
  }
}

TEST_CASE("softmax: logits of any size, NaN and infinities") {
  test::for_each_device([](Device) {
    const Tensor far = Tensor::from<float>({1000, 1000, -1000, 0, -1000, -1000}, {2, 3});
    CHECK(same_bits(softmax(far), Tensor::from<float>({0.5, 0.5, 0, 1, 0, 0}, {2, 3})));
    CHECK(test::largest_error(log_softmax(far),
                              Tensor::from<double>({-std::log(2.0), -std::log(2.0),
                                                    -2000 - std::log(2.0), 0, -1000, -1000},
                                                   {2, 3})) <= 2e-4);
    const float infinity = HUGE_VALF;
    const Tensor x = Tensor::from<float>(
        {0, -infinity, 0, 0, std::nanf(""), 0, -infinity, -infinity, -infinity, infinity, 0, 0},
        {4, 3});
    for (const int axis : {1, 0}) {
      Tensor source = x;
      if (axis == 0) {  // the same problems, as columns
        source = Tensor::empty({3, 4}, DType::f32, Device::cpu());
        const Tensor host = x.to(Device::cpu());
        for (int i = 0; i < 12; ++i) {
          source.mutable_data<float>()[i % 3 * 4 + i / 3] = host.data<float>()[i];
        }
        source = source.to(Context::current().device);
      }
      const Tensor y = softmax(source, axis).to(Device::cpu());
      const Tensor log_y = log_softmax(source, axis).to(Device::cpu());
      const auto place = [&](int row, int k) { return axis == 1 ? row * 3 + k : k * 4 + row; };
      const auto at = [&](int row, int k) { return y.data<float>()[place(row, k)]; };
      CHECK(at(0, 0) == 0.5f);
      CHECK(at(0, 1) == 0);
      for (int row = 1; row < 4; ++row) {
        CAPTURE(row);
        for (int k = 0; k < 3; ++k) {
          CHECK(std::isnan(at(row, k)));
          CHECK(std::isnan(log_y.data<float>()[place(row, k)]));
        }
      }
    }
    // Rows of vectors, too, and as the reference has it.
    Tensor row = cast(Tensor::zeros({1, 40}), DType::f64).to(Device::cpu());
    row.mutable_data<double>()[7] = HUGE_VAL;
    const Tensor wide = row.to(Context::current().device);
    for (const Softmax op : {Softmax::softmax, Softmax::log_softmax}) {
      const Tensor want = softmax_reference(op, row, row, 1);
      const Tensor got = softmax_any(op, wide, wide, 1).to(Device::cpu());
      for (int k = 0; k < 40; ++k) {
        CHECK(std::isnan(want.data<double>()[k]));
        CHECK(std::isnan(got.data<double>()[k]));
      }
    }
    CHECK(softmax(Tensor::zeros({0, 3})).shape() == Shape{0, 3});
    CHECK(softmax(Tensor::zeros({3, 0})).shape() == Shape{3, 0});
  });
}

TEST_CASE("softmax: the number of threads does not change a bit") {
  const ContextScope scope;
  for (const SoftmaxCase& c :
       {SoftmaxCase{{3001, 10}, 1}, SoftmaxCase{{301, 300}, 1}, SoftmaxCase{{4, 30, 500}, 1}}) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const Tensor a = first(c, dtype);
      for (const Softmax op : all) {
        const Tensor b = second(c, op, dtype);
        set_num_threads(1);
        const Tensor want = softmax_any(op, a, b, c.axis);
        for (const int threads : {2, 3}) {
          set_num_threads(threads);
          CHECK(same_bits(softmax_any(op, a, b, c.axis), want));
        }
      }
    }
  }
}

TEST_CASE("softmax: messages name what was expected and what came") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK(test::error_of([&] { softmax(x, 2); }) == "[softmax] axis 2 is out of range for (2, 3)");
  CHECK(test::error_of([&] { log_softmax(Tensor::zeros({2}, DType::i32)); }) ==
        "[log_softmax] the argument is i32; it takes f32, f64 or bf16; cast it first");
  CHECK(test::error_of([&] {
          softmax_grad(x, Tensor::zeros({3, 2}));
        }) ==
        "[softmax_grad] dy is (2, 3) f32 on cpu but y is (3, 2) f32 on cpu; it takes the y that "
        "softmax gave, and dy like it");
  CHECK(test::contains(test::error_of([&] { log_softmax_grad(x, Tensor::zeros({2})); }),
                       "it takes the y that log_softmax gave, and dy like it"));
}
