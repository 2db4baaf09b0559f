// The snippets of docs/convolution.md.
#include <doctest/doctest.h>
#include <imago/imago.h>

#include "tensor/random_stream.h"

using namespace imago;

namespace {

// Integers from -3 to 3, so that sums are exact and the order of adding does not matter.
Var integers(const Shape& shape, std::uint64_t seed) {
  Tensor t = Tensor::empty(shape, DType::f64);
  double* p = t.mutable_data<double>();
  RandomStream random(seed);
  for (std::int64_t i = 0; i < t.numel(); ++i) p[i] = static_cast<double>(random.next() % 7) - 3;
  return t;
}

Var dot(const Var& a, const Var& b) {
  return ops::sum(ops::mul(a, b));
}

}  // namespace

TEST_CASE("convolution: one number, three ways to compute it") {
  const Conv2dParams params{.stride_h = 2, .stride_w = 2, .pad = Padding::same(1)};
  const Var x = integers({2, 8, 8, 3}, 1);  // (N, H, W, C)
  const Var w = integers({5, 4, 4, 3}, 2);  // (K, R, S, C)
  const Var y = integers({2, 4, 4, 5}, 3);  // (N, P, Q, K)

  const double t = dot(y, ops::conv2d(x, w, params)).item();
  CHECK(dot(x, ops::conv2d_input_grad(y, w, 8, 8, params)).item() == t);
  CHECK(dot(w, ops::conv2d_weight_grad(x, y, 4, 4, params)).item() == t);
}

TEST_CASE("convolution: the gradient of each is the other two") {
  const Conv2dParams params{.stride_h = 2, .stride_w = 2, .pad = Padding::same(1)};
  const Var x = parameter(integers({2, 8, 8, 3}, 1).tensor());
  const Var w = parameter(integers({5, 4, 4, 3}, 2).tensor());
  const Var y = parameter(integers({2, 4, 4, 5}, 3).tensor());
  const auto same = [](const Var& a, const Var& b) { return same_bits(a.tensor(), b.tensor()); };

  const Vars of_conv = grad({dot(y.detach(), ops::conv2d(x, w, params))}, {x, w});
  CHECK(same(of_conv[0], ops::conv2d_input_grad(y, w, 8, 8, params)));
  CHECK(same(of_conv[1], ops::conv2d_weight_grad(x, y, 4, 4, params)));

  const Var transposed = ops::conv2d_input_grad(y, w, 8, 8, params);
  const Vars of_transposed = grad({dot(x.detach(), transposed)}, {y, w});
  CHECK(same(of_transposed[0], ops::conv2d(x, w, params)));
  CHECK(same(of_transposed[1], ops::conv2d_weight_grad(x, y, 4, 4, params)));

  const Var weight_grad = ops::conv2d_weight_grad(x, y, 4, 4, params);
  const Vars of_weight_grad = grad({dot(w.detach(), weight_grad)}, {x, y});
  CHECK(same(of_weight_grad[0], ops::conv2d_input_grad(y, w, 8, 8, params)));
  CHECK(same(of_weight_grad[1], ops::conv2d(x, w, params)));
}

TEST_CASE("convolution: two heights that a stride maps to one") {
  const Conv2dParams params{.stride_h = 2, .stride_w = 2, .pad = Padding::same(1)};
  const Var w = integers({5, 4, 4, 3}, 2);
  CHECK(ops::conv2d(integers({1, 8, 8, 3}, 1), w, params).shape() == Shape{1, 4, 4, 5});
  CHECK(ops::conv2d(integers({1, 9, 9, 3}, 1), w, params).shape() == Shape{1, 4, 4, 5});

  const Var y = integers({1, 4, 4, 5}, 3);
  CHECK(ops::conv2d_input_grad(y, w, 8, 8, params).shape() == Shape{1, 8, 8, 3});
  CHECK(ops::conv2d_input_grad(y, w, 9, 9, params).shape() == Shape{1, 9, 9, 3});
}

TEST_CASE("convolution: a layer that doubles an image") {
  nn::ConvTranspose2d up(
      {.in = 8, .out = 3, .kernel = 4, .stride = 2, .padding = Padding::same(1)});
  CHECK(up(Tensor::zeros({1, 16, 16, 8})).shape() == Shape{1, 32, 32, 3});
}

TEST_CASE("convolution: phases") {
  // One row of one channel: taps w[0] to w[3], stride 2, one column of padding on either side.
  const Conv2dParams params{.stride_w = 2, .pad = {.left = 1, .right = 1}};
  const Var row = integers({1, 1, 4, 1}, 1), taps = integers({1, 1, 4, 1}, 2);
  const Tensor x = ops::conv2d_input_grad(row, taps, 1, 8, params).tensor();  // (1, 1, 8, 1)

  const double *y = row.tensor().data<double>(), *w = taps.tensor().data<double>();
  for (int i = 0; i < 4; ++i) {
    const double even = y[i] * w[1] + (i > 0 ? y[i - 1] * w[3] : 0);
    const double odd = (i < 3 ? y[i + 1] * w[0] : 0) + y[i] * w[2];
    CHECK(x.data<double>()[2 * i] == even);
    CHECK(x.data<double>()[2 * i + 1] == odd);
  }
}
