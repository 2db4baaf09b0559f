#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "kernels/cross_entropy/cases.h"
#include "kernels/elementwise/elementwise.h"
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

}  // namespace

TEST_CASE("cross_entropy: agrees with the reference in f64") {
  const test::Guarded guarded;
  for (const CrossEntropyCase& c : cross_entropy_cases()) {
    CAPTURE(c.x);
    CAPTURE(c.smoothing);
    const CrossEntropyOptions options = c.options();
    const Tensor labels = c.labels();
    for (const DType dtype : floating) {
      const Tensor x = cast(scale(test::normals(c.x, DType::f64, 1), 3), dtype);
      const CrossEntropyValues want = cross_entropy_reference(test::to_f64(x), labels, options);
      const double loss = want.loss.item(), loss_bound = c.loss_tolerance(dtype, loss);
      const Tensor want_dx = scale(want.dx, -1.5);
      const double bound = c.grad_tolerance(dtype, test::largest(want_dx));
      test::for_each_device([&](Device device) {
        const Tensor px = x.to(device), pl = labels.to(device);
        const CrossEntropyResult got = cross_entropy(px, pl, options);
        CHECK(got.loss.shape() == Shape{});
        CHECK(got.loss.dtype() == acc_dtype(dtype));
        CHECK(std::fabs(got.loss.item() - loss) <= loss_bound);
        const Tensor dy = Tensor::scalar(-1.5, acc_dtype(dtype));
        const Tensor dx = cross_entropy_grad(dy, px, pl, got, options);
        CHECK(dx.dtype() == dtype);
        CHECK(test::largest_error(dx, want_dx) <= bound);
        const Tensor off = test::off_boundary(px);
        CHECK(std::fabs(cross_entropy(off, pl, options).loss.item() - loss) <= loss_bound);
        CHECK(test::largest_error(cross_entropy_grad(dy, off, pl, got, options), want_dx) <= bound);
        if (dtype != DType::f32) return;
        test::for_each_order(device, [&] {
          CHECK(same_bits(cross_entropy(px, pl, options).loss, got.loss));
          CHECK(same_bits(cross_entropy_grad(dy, px, pl, got, options), dx));
        });
      });
    }
  }
}

TEST_CASE("cross_entropy: the reference, by hand") {
  // Probabilities 1/4 and 3/4; a class without a share may be impossible.
  const Tensor x =
      Tensor::from<double>({0, std::log(3.0), 5, 0, -HUGE_VAL, 0}, {3, 2}).to(Device::cpu());
  const Tensor labels = Tensor::from<std::int64_t>({1, 9, 1}, {3}).to(Device::cpu());
  const CrossEntropyValues plain = cross_entropy_reference(x, labels, {.ignore_index = 9});
  CHECK(plain.loss.item() == doctest::Approx(std::log(4.0 / 3) / 2));
  const double want[] = {0.125, -0.125, 0, 0, 0, 0};
  for (int i = 0; i < 6; ++i) CHECK(plain.dx.data<double>()[i] == doctest::Approx(want[i]));
  const CrossEntropyValues smooth = cross_entropy_reference(
      x.slice(0, 1), labels.slice(0, 1), {.label_smoothing = 0.5, .ignore_index = 9});
  CHECK(smooth.loss.item() == doctest::Approx(0.25 * std::log(4.0) + 0.75 * std::log(4.0 / 3)));
  CHECK(smooth.dx.data<double>()[0] == doctest::Approx(0).epsilon(1e-15));
}

TEST_CASE("cross_entropy: known answers, logits of any size, rows that do not count") {
  test::for_each_device([](Device) {
    const Tensor flat = Tensor::zeros({2, 4}, DType::f64);
    const Tensor labels = Tensor::from<std::int64_t>({0, 3}, {2});
    CHECK(cross_entropy(flat, labels).loss.item() == doctest::Approx(std::log(4.0)).epsilon(1e-15));
    CHECK(cross_entropy(flat, labels, {.label_smoothing = 1}).loss.item() ==
          doctest::Approx(std::log(4.0)).epsilon(1e-15));
    const Tensor far = Tensor::from<float>({3e4f, -3e4f, 3e4f, -3e4f}, {2, 2});
    const CrossEntropyResult sure = cross_entropy(far, Tensor::from<std::int64_t>({0, 1}, {2}));
    CHECK(sure.loss.item() == 3e4);
    CHECK(same_bits(
        cross_entropy_grad(Tensor::scalar(4), far, Tensor::from<std::int64_t>({0, 1}, {2}), sure),
        Tensor::from<float>({0, 0, 2, -2}, {2, 2})));
    // One row of three counts, whatever the others hold.
    const Tensor x = Tensor::from<float>({std::nanf(""), 1, 0, 0, HUGE_VALF, 1}, {3, 2});
    const Tensor some = Tensor::from<std::int64_t>({7, 1, 7}, {3});
    const CrossEntropyOptions options{.ignore_index = 7};
    const CrossEntropyResult one = cross_entropy(x, some, options);
    CHECK(one.loss.item() == doctest::Approx(std::log(2.0)));
    CHECK(same_bits(cross_entropy_grad(Tensor::scalar(1), x, some, one, options),
                    Tensor::from<float>({0, 0, 0.5, -0.5, 0, 0}, {3, 2})));
    // A row that counts and has no largest logit, or an infinite one, is NaN throughout.
    for (const float odd : {std::nanf(""), HUGE_VALF}) {
      const Tensor bad = Tensor::from<float>({odd, 0, 0}, {1, 3});
      const Tensor last = Tensor::from<std::int64_t>({2}, {1});
      const CrossEntropyResult r = cross_entropy(bad, last);
      CHECK(std::isnan(r.loss.item()));
      const Tensor dx = test::to_f64(cross_entropy_grad(Tensor::scalar(1), bad, last, r));
      for (int k = 0; k < 3; ++k) CHECK(std::isnan(dx.data<double>()[k]));
    }
    // A class that cannot be, which without smoothing has no share in the loss.
    const Tensor masked = Tensor::from<float>({-HUGE_VALF, 0, 0}, {1, 3});
    const Tensor second = Tensor::from<std::int64_t>({1}, {1});
    const CrossEntropyResult half = cross_entropy(masked, second);
    CHECK(half.loss.item() == doctest::Approx(std::log(2.0)));
    CHECK(same_bits(cross_entropy_grad(Tensor::scalar(1), masked, second, half),
                    Tensor::from<float>({0, -0.5, 0.5}, {1, 3})));
    const Tensor none = Tensor::from<std::int64_t>({7, 7, 7}, {3});
    CHECK(std::isnan(cross_entropy(x, none, options).loss.item()));
  });
}

TEST_CASE("cross_entropy: a label out of range throws on the CPU and is NaN on CUDA") {
  test::for_each_device([](Device device) {
    const Tensor x = Tensor::zeros({3, 4});
    // The labels of the gradient may be others than those of the forward pass.
    const CrossEntropyResult good = cross_entropy(x, Tensor::from<std::int64_t>({0, 3, 1}, {3}));
    for (const std::int64_t bad : {std::int64_t{4}, std::int64_t{-1}}) {
      const Tensor labels = Tensor::from<std::int64_t>({0, bad, 1}, {3});
      const auto grad = [&] { return cross_entropy_grad(Tensor::scalar(1), x, labels, good); };
      if (device.is_cuda()) {
        const CrossEntropyResult r = cross_entropy(x, labels);
        CHECK(std::isnan(r.loss.item()));
        const Tensor dx = test::to_f64(cross_entropy_grad(Tensor::scalar(1), x, labels, r));
        for (int i = 0; i < 12; ++i) CHECK(std::isnan(dx.data<double>()[i]));
        const Tensor row = test::to_f64(grad());
        for (int i = 0; i < 12; ++i) CHECK(std::isnan(row.data<double>()[i]) == (i / 4 == 1));
      } else {
        const std::string message =
            "label " + std::to_string(bad) +
            " of row 1 is neither in [0, 4) nor the ignore_index -100; were the logits made for "
            "another number of classes?";
        CHECK(test::error_of([&] { cross_entropy(x, labels); }) == "[cross_entropy] " + message);
        CHECK(test::error_of(grad) == "[cross_entropy_grad] " + message);
      }
    }
    if (device.is_cuda()) return;
    const Tensor some = Tensor::from<std::int64_t>({0, 7, 1}, {3});
    const CrossEntropyResult forward = cross_entropy(x, some, {.ignore_index = 7});
    CHECK(test::contains(
        test::error_of([&] { cross_entropy_grad(Tensor::scalar(1), x, some, forward); }),
        "[cross_entropy_grad] label 7 of row 1 is neither in [0, 4) nor the ignore_index -100"));
  });
}

TEST_CASE("cross_entropy: the number of threads does not change a bit") {
  const ContextScope scope;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    const Tensor x = test::normals({3001, 37}, dtype, 3),
                 labels = CrossEntropyCase{x.shape(), 0.1, true}.labels();
    const Tensor dy = Tensor::scalar(1, DType::f32);
    const CrossEntropyOptions options{.label_smoothing = 0.1};
    set_num_threads(1);
    const CrossEntropyResult want = cross_entropy(x, labels, options);
    const Tensor grad = cross_entropy_grad(dy, x, labels, want, options);
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      CHECK(same_bits(cross_entropy(x, labels, options).loss, want.loss));
      CHECK(same_bits(cross_entropy_grad(dy, x, labels, want, options), grad));
    }
  }
}

TEST_CASE("cross_entropy: messages name what was expected and what came") {
  const Tensor x = Tensor::zeros({2, 3}), labels = Tensor::zeros({2}, DType::i64);
  CHECK(test::error_of([&] {
          cross_entropy(x, Tensor::zeros({2, 3}));
        }) ==
        "[cross_entropy] labels are f32 (2, 3); it takes class indices in i64, one for each row of "
        "the logits; if these are one-hot rows, take argmax(labels, -1)");
  CHECK(
      test::error_of([&] { cross_entropy(x, Tensor::zeros({2})); }) ==
      "[cross_entropy] labels are f32 (2,); it takes class indices in i64, one for each row of the "
      "logits; cast them with cast(labels, DType::i64)");
  CHECK(
      test::error_of([&] { cross_entropy(x, Tensor::zeros({2}, DType::i32)); }) ==
      "[cross_entropy] labels are i32 (2,); it takes class indices in i64, one for each row of the "
      "logits; cast them with cast(labels, DType::i64)");
  CHECK(test::error_of([&] {
          cross_entropy(x, Tensor::zeros({2, 3}, DType::i64));
        }) ==
        "[cross_entropy] takes logits (N, K) and labels (N), not (2, 3) and (2, 3); if these are "
        "one-hot rows, take argmax(labels, -1)");
  CHECK(test::error_of([&] { cross_entropy(x, Tensor::zeros({3}, DType::i64)); }) ==
        "[cross_entropy] takes logits (N, K) and labels (N), not (2, 3) and (3,)");
  CHECK(test::error_of([&] { cross_entropy(x, labels, {.label_smoothing = 2}); }) ==
        "[cross_entropy] expects label_smoothing in [0, 1], but it is 2");
  CHECK(test::contains(
      test::error_of([&] { cross_entropy_grad(x, x, labels, cross_entropy(x, labels)); }),
      "[cross_entropy_grad] dy is a scalar () of f32"));
}
