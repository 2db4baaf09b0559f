#include <doctest/doctest.h>

#include <cmath>

#include "kernels/bce/bce.h"
#include "kernels/bce/cases.h"
#include "kernels/elementwise/elementwise.h"
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

Tensor targets_like(const Shape& shape, DType dtype) {
  RandomStream stream(2);
  return test::filled(shape, dtype, [&] { return stream.uniform(); });
}

}  // namespace

TEST_CASE("bce: agrees with the reference in f64") {
  const test::Guarded guarded;
  for (const BceCase& c : bce_cases()) {
    CAPTURE(c.shape);
    for (const DType dtype : floating) {
      const Tensor x = test::normals(c.shape, dtype, 1), t = targets_like(c.shape, dtype);
      const BceValues want = bce_with_logits_reference(test::to_f64(x), test::to_f64(t));
      const double loss = want.loss.item(), bound = c.loss_tolerance(dtype, loss);
      const Tensor want_dx = scale(want.dx, -1.5);
      test::for_each_device([&](Device device) {
        const Tensor px = x.to(device), pt = t.to(device);
        const Tensor dy = Tensor::scalar(-1.5, acc_dtype(dtype));
        const Tensor got = bce_with_logits(px, pt), dx = bce_with_logits_grad(dy, px, pt);
        CHECK(got.shape() == Shape{});
        CHECK(got.dtype() == acc_dtype(dtype));
        CHECK(dx.dtype() == dtype);
        CHECK(std::fabs(got.item() - loss) <= bound);
        CHECK(test::largest_error(dx, want_dx) <= c.grad_tolerance(dtype));
        test::for_each_order(device, [&] {
          CHECK(same_bits(bce_with_logits(px, pt), got));
          CHECK(same_bits(bce_with_logits_grad(dy, px, pt), dx));
        });
      });
    }
  }
}

TEST_CASE("bce: the reference, by hand") {
  // Probabilities 1/2, 3/4 and, as far as f64 can tell, 1 and 0; what is certain costs nothing.
  const Tensor x = Tensor::from<double>({0, std::log(3.0), 600, -600}, {4}).to(Device::cpu());
  const Tensor t = Tensor::from<double>({1, 0.25, 1, 0}, {4}).to(Device::cpu());
  const BceValues got = bce_with_logits_reference(x, t);
  const double loss = std::log(2.0) + 0.25 * std::log(4.0 / 3) + 0.75 * std::log(4.0);
  CHECK(got.loss.item() == doctest::Approx(loss / 4).epsilon(1e-15));
  const double want[] = {-0.125, 0.125, 0, 0};
  for (int i = 0; i < 4; ++i) {
    CHECK(got.dx.data<double>()[i] == doctest::Approx(want[i]).epsilon(1e-15));
  }
  // A certain mistake costs its logit.
  const Tensor wrong = bce_with_logits_reference(x.slice(2, 4), scale(t.slice(2, 4), 0)).loss;
  CHECK(wrong.item() == doctest::Approx(300).epsilon(1e-15));
}

TEST_CASE("bce: known answers, and logits of any size stay finite") {
  test::for_each_device([&](Device) {
    const Tensor x = Tensor::from<double>({0, 0}, {2}), t = Tensor::from<double>({0, 1}, {2});
    CHECK(bce_with_logits(x, t).item() == doctest::Approx(std::log(2.0)).epsilon(1e-15));
    const Tensor far = Tensor::from<float>({1000, -1000, 1000, -1000}, {4});
    const Tensor labels = Tensor::from<float>({1, 0, 0, 1}, {4});
    CHECK(bce_with_logits(far, labels).item() == 500);
    CHECK(same_bits(bce_with_logits_grad(Tensor::scalar(4), far, labels),
                    Tensor::from<float>({0, 0, 1, -1}, {4})));
    CHECK(std::isnan(bce_with_logits(Tensor::full({3}, std::nan("")), Tensor::zeros({3})).item()));
  });
}

TEST_CASE("bce: gradients are the same bits on every device, from slices that begin anywhere") {
  const test::Guarded guarded;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    const Tensor x = test::normals({40}, dtype, 5), t = targets_like({40}, dtype);
    const Tensor dy = Tensor::scalar(0.7, DType::f32);
    const Tensor all = bce_with_logits_grad(scale(dy, 40), x, t);
    test::for_each_device([&](Device device) {
      for (std::int64_t begin = 0; begin < 9; ++begin) {
        const Tensor sx = x.to(device).slice(begin, 37), st = t.to(device).slice(begin, 37);
        const Tensor factor = scale(dy, static_cast<double>(37 - begin)).to(device);
        const Tensor grad = bce_with_logits_grad(factor, sx, st);
        CHECK(test::largest_error(grad, all.slice(begin, 37)) <= epsilon(dtype));
        CHECK(same_bits(grad, bce_with_logits_grad(factor.to(Device::cpu()), x.slice(begin, 37),
                                                   t.slice(begin, 37))));
        CHECK(std::fabs(bce_with_logits(sx, st).item() -
                        bce_with_logits(x.slice(begin, 37), t.slice(begin, 37)).item()) <=
              8 * epsilon(DType::f32));
      }
    });
  }
}

TEST_CASE("bce: the number of threads does not change a bit") {
  const ContextScope scope;
  for (const DType dtype : floating) {
    const Tensor x = test::normals({70001}, dtype, 3), t = targets_like({70001}, dtype);
    const Tensor dy = Tensor::scalar(1, acc_dtype(dtype));
    set_num_threads(1);
    const Tensor loss = bce_with_logits(x, t), grad = bce_with_logits_grad(dy, x, t);
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      CHECK(same_bits(bce_with_logits(x, t), loss));
      CHECK(same_bits(bce_with_logits_grad(dy, x, t), grad));
    }
  }
}

TEST_CASE("bce: messages name what was expected and what came") {
  const Tensor x = Tensor::zeros({4, 1}), t = Tensor::zeros({4, 1});
  CHECK(test::error_of([&] { bce_with_logits(x, Tensor::zeros({4})); }) ==
        "[bce_with_logits] logits are (4, 1) but targets are (4,); one target for each logit");
  CHECK(test::error_of([&] {
          bce_with_logits(x, Tensor::zeros({4, 1}, DType::i64));
        }) == "[bce_with_logits] logits are f32 but targets are i64; cast the targets");
  CHECK(test::error_of([&] { bce_with_logits(Tensor::zeros({0}), Tensor::zeros({0})); }) ==
        "[bce_with_logits] the mean of no elements is undefined; logits are (0,)");
  CHECK(test::error_of([&] { bce_with_logits_grad(x, x, t); }) ==
        "[bce_with_logits_grad] dy is a scalar () of f32, but (4, 1) f32");
}
