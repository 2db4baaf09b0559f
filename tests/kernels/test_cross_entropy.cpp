#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/softmax/softmax.h"
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
const Shape shapes[] = {{1, 1}, {1, 5}, {7, 10}, {3, 131}, {2, 1028}, {3, 1500}, {300, 3}};

// Every label, and some rows that do not count.
Tensor labels_for(const Shape& shape, bool ignore) {
  Tensor labels = Tensor::empty({shape[0]}, DType::i64, Device::cpu());
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    labels.mutable_data<std::int64_t>()[i] = ignore && i % 3 == 1 ? -100 : (i * 7 + 1) % shape[1];
  }
  return labels;
}

struct Expected {
  double loss;
  Tensor grad;  // f64, of a dy of 1
};

// -sum q log p by its definition, in f64.
Expected expected(const Tensor& x, const Tensor& labels, double smoothing) {
  const std::int64_t rows = x.size(0), classes = x.size(1);
  const Tensor wide = test::to_f64(x);
  const Tensor log_p = softmax_reference(Softmax::log_softmax, wide, wide, 1);
  Expected e{0, Tensor::zeros_like(log_p)};
  double counted = 0;
  for (std::int64_t i = 0; i < rows; ++i) counted += labels.data<std::int64_t>()[i] >= 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t label = labels.data<std::int64_t>()[i];
    if (label < 0) continue;
    for (std::int64_t k = 0; k < classes; ++k) {
      const double q = (k == label ? 1 - smoothing : 0) + smoothing / static_cast<double>(classes);
      const double value = log_p.data<double>()[i * classes + k];
      e.loss -= q * value / counted;
      e.grad.mutable_data<double>()[i * classes + k] = (std::exp(value) - q) / counted;
    }
  }
  return e;
}

}  // namespace

TEST_CASE("cross_entropy: agrees with its definition in f64") {
  const test::Guarded guarded;
  for (const Shape& shape : shapes) {
    CAPTURE(shape);
    for (const DType dtype : floating) {
      const Tensor x = cast(scale(test::normals(shape, DType::f64, 1), 3), dtype);
      for (const double smoothing : {0.0, 0.25}) {
        const CrossEntropyOptions options{.label_smoothing = smoothing};
        const Tensor labels = labels_for(shape, smoothing > 0);
        const Expected want = expected(x, labels, smoothing);
        const double eps = epsilon(acc_dtype(dtype)), size = std::fabs(want.loss) + 10;
        const double largest = test::largest(want.grad);
        test::for_each_device([&](Device device) {
          const Tensor px = x.to(device), pl = labels.to(device);
          const CrossEntropyResult got = cross_entropy(px, pl, options);
          CHECK(got.loss.shape() == Shape{});
          CHECK(got.loss.dtype() == acc_dtype(dtype));
          CHECK(std::fabs(got.loss.item() - want.loss) <= 16 * eps * size);
          const Tensor dy = Tensor::scalar(-1.5, acc_dtype(dtype));
          const Tensor dx = cross_entropy_grad(dy, px, pl, got, options);
          CHECK(dx.dtype() == dtype);
          const double bound = 1.5 * (epsilon(dtype) + 32 * eps) * largest;
          CHECK(test::largest_error(dx, scale(want.grad, -1.5)) <= bound);
          const Tensor off = test::off_boundary(px);
          CHECK(std::fabs(cross_entropy(off, pl, options).loss.item() - want.loss) <=
                16 * eps * size);
          CHECK(test::largest_error(cross_entropy_grad(dy, off, pl, got, options),
                                    scale(want.grad, -1.5)) <= bound);
          if (dtype != DType::f32) return;
          test::for_each_order(device, [&] {
            CHECK(same_bits(cross_entropy(px, pl, options).loss, got.loss));
            CHECK(same_bits(cross_entropy_grad(dy, px, pl, got, options), dx));
          });
        });
      }
    }
  }
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
    const Tensor x = test::normals({3001, 37}, dtype, 3), labels = labels_for(x.shape(), true);
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
        "the logits; for one-hot rows take their argmax");
  CHECK(
      test::error_of([&] { cross_entropy(x, Tensor::zeros({2}, DType::i32)); }) ==
      "[cross_entropy] labels are i32 (2,); it takes class indices in i64, one for each row of the "
      "logits; cast them");
  CHECK(test::error_of([&] { cross_entropy(x, Tensor::zeros({3}, DType::i64)); }) ==
        "[cross_entropy] takes logits (N, K) and labels (N), not (2, 3) and (3,)");
  CHECK(test::error_of([&] { cross_entropy(x, labels, {.label_smoothing = 2}); }) ==
        "[cross_entropy] expects label_smoothing in [0, 1], but it is 2");
  CHECK(test::contains(
      test::error_of([&] { cross_entropy_grad(x, x, labels, cross_entropy(x, labels)); }),
      "[cross_entropy_grad] dy is a scalar () of f32"));
}
