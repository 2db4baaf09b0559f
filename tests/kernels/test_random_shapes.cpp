// Properties of operations on images over random shapes, strides and paddings: the formulas of
// output shapes, agreement with the specification, and errors where nothing fits. Values are small
// integers, whose sums are exact, or compared with a specification of the same order of sums; so
// equality is of bits.
#include "random_shapes.h"

#include <doctest/doctest.h>

#include "kernels/conv2d/conv2d.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/pad/pad.h"
#include "kernels/pool/pool.h"
#include "kernels/resample/resample.h"
#include "tensor/context.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::kernels;
using namespace imago::test;

namespace {

constexpr int trials = 300;

struct Convolution {
  Shape x, w;
  Conv2dParams params;

  static Convolution drawn(std::uint64_t seed) {
    Draw draw(seed);
    Conv2dParams p{
        .stride_h = draw.among({1, 1, 2, 3, 7, 19}),
        .stride_w = draw.among({1, 1, 2, 3, 5}),
        .pad = {draw.between(0, 4), draw.between(0, 4), draw.between(0, 4), draw.between(0, 4)},
        .dilation_h = draw.among({1, 1, 1, 2, 3}),
        .dilation_w = draw.among({1, 1, 1, 2}),
        .groups = draw.among({1, 1, 2, 3})};
    const int inner = draw.among({1, 2, 3, 4, 5}), outer = draw.among({1, 2, 4, 7});
    return {draw.images(p.groups * inner),
            {p.groups * outer, draw.among({1, 2, 3, 4, 5}), draw.among({1, 2, 3, 5, 7}), inner},
            p};
  }
};

// Windows of `taps` pixels `dilation` apart that fit into `in` pixels with their padding, a stride
// from one to the next, counted one by one.
std::int64_t windows(std::int64_t in, std::int64_t taps, int stride, int before, int after,
                     int dilation) {
  std::int64_t count = 0;
  for (std::int64_t first = -before; first + (taps - 1) * dilation < in + after; first += stride) {
    ++count;
  }
  return count;
}

void check_exact(const Tensor& got, const Tensor& want) {
  CHECK(same_bits(exact(got), want));
}

}  // namespace

TEST_CASE("random shapes: conv2d and its two gradients") {
  for_each_device([](Device device) {
    int fits = 0, refused = 0;
    for_trials(device, trials, [&](int trial) {
      CAPTURE(trial);
      const auto c = Convolution::drawn(static_cast<std::uint64_t>(1000 + trial));
      const Conv2dParams& p = c.params;
      CAPTURE(c.x);
      CAPTURE(c.w);
      const Tensor x = small_integers(c.x, DType::f32, 1), w = small_integers(c.w, DType::f32, 2);
      const std::int64_t rows =
          windows(c.x[1], c.w[1], p.stride_h, p.pad.top, p.pad.bottom, p.dilation_h);
      const std::int64_t columns =
          windows(c.x[2], c.w[2], p.stride_w, p.pad.left, p.pad.right, p.dilation_w);
      if (rows < 1 || columns < 1) {
        ++refused;
        CHECK(contains(error_of([&] { conv2d(x, w, p); }), "[conv2d]"));
        return;
      }
      ++fits;
      const Shape y_shape{c.x[0], rows, columns, c.w[0]};
      const Tensor y = conv2d(x, w, p), dy = small_integers(y_shape, DType::f32, 3);
      CHECK(y.shape() == y_shape);
      const Tensor xs = exact(x), ws = exact(w), dys = exact(dy);
      check_exact(y, conv2d(xs, ws, p, Engine::reference));
      const Tensor dx = conv2d_input_grad(dy, w, c.x[1], c.x[2], p);
      CHECK(dx.shape() == c.x);
      check_exact(dx, conv2d_input_grad(dys, ws, c.x[1], c.x[2], p, Engine::reference));
      const Tensor dw = conv2d_weight_grad(x, dy, c.w[1], c.w[2], p, DType::f32);
      CHECK(dw.shape() == c.w);
      check_exact(dw,
                  conv2d_weight_grad(xs, dys, c.w[1], c.w[2], p, DType::f64, Engine::reference));
    });
    CHECK(fits > 10);
    CHECK(refused > 1);
  });
}

TEST_CASE(
    "random shapes: a transposed convolution's smallest output is one the convolution undoes") {
  Draw draw(3);
  int tried = 0, refused = 0;
  for (int trial = 0; trial < 500; ++trial) {
    CAPTURE(trial);
    const int in = draw.extent(), kernel = draw.between(1, 7), stride = draw.between(1, 7),
              dilation = draw.between(1, 3);
    const int before = draw.between(0, 4), after = draw.between(0, 4);
    const int extra = draw.between(0, stride - 1);
    std::int64_t out = 0;
    const std::string error = error_of([&] {
      out = conv_transpose_output_extent(in, kernel, stride, before, after, dilation, extra);
    });
    const std::int64_t formula =
        (in - 1) * stride - before - after + dilation * (kernel - 1) + 1 + extra;
    if (formula < 1) {
      ++refused;
      CHECK(contains(error, "leaves no output"));
      continue;
    }
    ++tried;
    CHECK(error.empty());
    CHECK(out == formula);
    CHECK(windows(out, kernel, stride, before, after, dilation) == in);
    CHECK(conv_output_extent(out, kernel, stride, before, after, dilation) == in);
  }
  CHECK(tried > 250);
  CHECK(refused > 10);
}

TEST_CASE("random shapes: pooling") {
  for_each_device([](Device device) {
    int fits = 0, refused = 0;
    for_trials(device, trials, [&](int trial) {
      CAPTURE(trial);
      Draw draw(static_cast<std::uint64_t>(2000 + trial));
      const Pool2dParams p{
          .kernel_h = draw.among({1, 2, 3, 5}),
          .kernel_w = draw.among({1, 2, 3, 7}),
          .stride_h = draw.among({1, 2, 3, 19}),
          .stride_w = draw.among({1, 2, 5}),
          .pad = {draw.between(0, 2), draw.between(0, 2), draw.between(0, 2), draw.between(0, 2)},
          .dilation_h = draw.among({1, 1, 2}),
          .dilation_w = draw.among({1, 1, 3}),
          .count_include_pad = draw.between(0, 1) == 1};
      const Shape shape = draw.images(draw.among({1, 2, 3, 8, 13}));
      CAPTURE(shape);
      const std::int64_t rows =
          windows(shape[1], p.kernel_h, p.stride_h, p.pad.top, p.pad.bottom, p.dilation_h);
      const std::int64_t columns =
          windows(shape[2], p.kernel_w, p.stride_w, p.pad.left, p.pad.right, p.dilation_w);
      const Tensor x = normals(shape, DType::f32, 4), host = x.to(Device::cpu());
      const std::string error = error_of([&] { avg_pool2d(x, p); });
      CHECK(error.empty() == error_of([&] { max_pool2d(x, p); }).empty());
      if (!error.empty()) {
        ++refused;
        CHECK(contains(error, "[avg_pool2d]"));
        return;  // too few pixels, or a window of nothing but padding
      }
      ++fits;
      const Shape y_shape{shape[0], rows, columns, shape[3]};
      const Tensor y = avg_pool2d(x, p), dy = normals(y_shape, DType::f32, 5);
      const Tensor dy_host = dy.to(Device::cpu());
      const std::int64_t H = shape[1], W = shape[2];
      CHECK(y.shape() == y_shape);
      CHECK(same_bits(y, avg_pool2d_reference(host, p)));
      CHECK(same_bits(avg_pool2d_grad(dy, H, W, p), avg_pool2d_grad_reference(dy_host, H, W, p)));
      const MaxPool2dResult got = max_pool2d(x, p), want = max_pool2d_reference(host, p);
      CHECK(got.y.shape() == y_shape);
      CHECK(same_bits(got.y, want.y));
      CHECK(same_bits(max_pool2d_grad(dy, got.taps, H, W, p),
                      max_pool2d_grad_reference(dy_host, want.taps, H, W, p)));
    });
    CHECK(fits > 10);
    CHECK(refused > 1);
  });
}

TEST_CASE("random shapes: resampling") {
  for_each_problem(trials, 3000, [](Device device, Draw& draw) {
    const Shape shape = draw.images(draw.among({1, 2, 3, 4, 13}));
    const int height = draw.among({1, 2, 3, 7, 16, 29}), width = draw.among({1, 2, 5, 8, 23});
    constexpr Filter filters[] = {Filter::nearest, Filter::bilinear, Filter::bilinear_antialias};
    const Filter filter = filters[draw.between(0, 2)];
    CAPTURE(shape);
    CAPTURE(name_of(filter));
    const Tensor x = normals(shape, DType::f32, 6);
    const Tensor y = resample(x, height, width, filter);
    const Shape expected{shape[0], height, width, shape[3]};
    CHECK(y.shape() == expected);
    CHECK(same_bits(y, resample_reference(x.to(Device::cpu()), height, width, filter)));
    const Tensor dy = normals(y.shape(), DType::f32, 7);
    const Tensor dx = resample_grad(dy, shape[1], shape[2], filter);
    CHECK(dx.shape() == shape);
    CHECK(same_bits(dx, resample_grad_reference(dy.to(Device::cpu()), shape[1], shape[2], filter)));
    // A mean of pixels keeps a constant, and its adjoint the sum.
    const Tensor flat = full(shape, 0.75, DType::f64, device);
    CHECK(largest_error(resample(flat, height, width, filter),
                        full(y.shape(), 0.75, DType::f64, device)) <= 1e-15);
    const Tensor wide = cast(dy, DType::f64);
    const double sum = dot(wide, full(dy.shape(), 1, DType::f64, device));
    const Tensor back = resample_grad(wide, shape[1], shape[2], filter);
    CHECK(std::fabs(dot(back, full(shape, 1, DType::f64, device)) - sum) <= 1e-12 * 29 * 23);
  });
}

TEST_CASE("random shapes: padding, cropping and mirroring") {
  for_each_device([](Device device) {
    int mirrored = 0, refused = 0;
    for_trials(device, trials, [&](int trial) {
      CAPTURE(trial);
      Draw draw(static_cast<std::uint64_t>(4000 + trial));
      const Shape shape = draw.images(draw.among({1, 2, 3, 4, 13}));
      const Padding p{draw.between(0, 6), draw.between(0, 6), draw.between(0, 6),
                      draw.between(0, 6)};
      CAPTURE(shape);
      const Tensor x = normals(shape, DType::f32, 8), host = x.to(Device::cpu());
      const Tensor y = pad(x, p, 0.5);
      const Shape expected{shape[0], p.top + shape[1] + p.bottom, p.left + shape[2] + p.right,
                           shape[3]};
      CHECK(y.shape() == expected);
      CHECK(same_bits(y, pad_reference(host, p, 0.5)));
      CHECK(same_bits(crop(y, p.top, p.left, shape[1], shape[2]), x));
      if (p.top >= shape[1] || p.bottom >= shape[1] || p.left >= shape[2] || p.right >= shape[2]) {
        ++refused;
        CHECK(contains(error_of([&] { pad_reflect(x, p); }), "[pad_reflect]"));
        return;
      }
      ++mirrored;
      CHECK(same_bits(pad_reflect(x, p), pad_reflect_reference(host, p)));
      const Tensor dy = normals(y.shape(), DType::f32, 9);
      CHECK(
          same_bits(pad_reflect_grad(dy, p), pad_reflect_grad_reference(dy.to(Device::cpu()), p)));
    });
    CHECK(mirrored > 3);
    CHECK(refused > 3);
  });
}
