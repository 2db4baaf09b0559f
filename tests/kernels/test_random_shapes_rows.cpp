// Properties of products, of comparisons and of what is worked out row by row, over random shapes.
// Products and choices are exact on small integers; the others are compared within the bounds of
// their cases.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "kernels/cross_entropy/cases.h"
#include "kernels/elementwise/compare.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/gemm/gemm.h"
#include "kernels/reduce/axes.h"
#include "kernels/softmax/cases.h"
#include "random_shapes.h"
#include "tensor/context.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;
using namespace imago::test;

namespace {

constexpr int trials = 100;

// Small integers, of which many are alike; u8 has none below 0.
Tensor integers(const Shape& shape, DType dtype, std::uint64_t seed) {
  return cast(small_integers(shape, DType::f32, seed), dtype);
}

std::vector<Engine> gemm_engines(Device device, DType dtype) {
  std::vector<Engine> engines{Engine::automatic};
  if (device.is_cuda()) {
    engines.insert(engines.end(), {Engine::naive, Engine::tiled});
    if (dtype == DType::f32) engines.push_back(Engine::blocked);
  } else if (dtype == DType::f32) {
    engines.push_back(Engine::direct);
  }
  return engines;
}

// `whole` as an operand of a broadcast may have it: without some outer dimensions, with an extent
// of 1 in some others.
Shape repeated(Draw& draw, const Shape& whole) {
  Shape shape;
  for (int i = std::max(0, draw.between(-2, whole.dim())); i < whole.dim(); ++i) {
    shape.append(draw.between(0, 2) == 0 ? 1 : whole[i]);
  }
  return shape;
}

// The extents that shapes aligned at the innermost dimension have together.
Shape together(const Shape& a, const Shape& b) {
  const int dims = std::max(a.dim(), b.dim());
  Shape shape;
  for (int i = -dims; i < 0; ++i) {
    shape.append(std::max(-i <= a.dim() ? a[i] : 1, -i <= b.dim() ? b[i] : 1));
  }
  return shape;
}

}  // namespace

TEST_CASE("random shapes: gemm, transposed or not, and batches of it") {
  const Guarded guarded;
  for_each_problem(trials, 14'000, [](Device device, Draw& draw) {
    const auto extent = [&] { return draw.among({1, 2, 3, 5, 7, 8, 13, 16, 17, 33}); };
    const std::int64_t m = extent(), n = extent(), k = extent();
    // Batches; 0 is a matrix.
    constexpr std::pair<int, int> batchings[] = {{0, 0}, {0, 0}, {0, 3}, {2, 0},
                                                 {3, 3}, {1, 2}, {5, 1}};
    const auto [in_a, in_b] = batchings[draw.between(0, 6)];
    const auto operand = [&](int batches, std::int64_t rows, std::int64_t columns,
                             Transpose trans) {
      if (trans == Transpose::yes) std::swap(rows, columns);
      return batches ? Shape{batches, rows, columns} : Shape{rows, columns};
    };
    const auto ta = static_cast<Transpose>(draw.between(0, 1) == 1);
    const auto tb = static_cast<Transpose>(draw.between(0, 1) == 1);
    const DType dtype = draw.floating_dtype();
    const Shape a_shape = operand(in_a, m, k, ta), b_shape = operand(in_b, k, n, tb);
    CAPTURE(a_shape);
    CAPTURE(b_shape);
    CAPTURE(static_cast<bool>(ta));
    CAPTURE(static_cast<bool>(tb));
    CAPTURE(dtype);
    const Tensor a = small_integers(a_shape, dtype, 1);
    if (draw.trial() % 7 == 3) {
      const Tensor b = small_integers(operand(in_b, k + 1, n, tb), dtype, 2);
      CHECK(contains(error_of([&] { gemm(a, b, ta, tb); }), "[gemm] inner extents differ"));
      return;
    }
    const Tensor b = small_integers(b_shape, dtype, 2);
    const Tensor want = gemm(on_host(a), on_host(b), ta, tb, Engine::reference);
    CHECK(want.shape() == (in_a || in_b ? Shape{std::max({in_a, in_b, 1}), m, n} : Shape{m, n}));
    for (const Engine engine : gemm_engines(device, dtype)) {
      CAPTURE(name_of(engine));
      for_each_order(device, [&] { CHECK(same_bits(gemm(a, b, ta, tb, engine), want)); });
    }
  });
}

TEST_CASE("random shapes: softmax, its logarithm and their gradients") {
  const Guarded guarded;
  for_each_problem(trials, 15'000, [](Device device, Draw& draw) {
    Shape shape = draw.shape(1);
    SoftmaxCase c{shape, draw.between(0, shape.dim() - 1)};
    c.x.set(c.axis, draw.among({1, 2, 3, 7, 16, 31, 33, 67}));
    if (draw.between(0, 1) == 1) c.axis -= shape.dim();
    const DType dtype = draw.floating_dtype();
    CAPTURE(c.x);
    CAPTURE(c.axis);
    CAPTURE(dtype);
    const Tensor x = normals(c.x, dtype, 1);
    for (const Softmax op : {Softmax::softmax, Softmax::log_softmax, Softmax::softmax_grad,
                             Softmax::log_softmax_grad}) {
      CAPTURE(name_of(op));
      // The gradients take the result of another x.
      const bool of_log = op == Softmax::log_softmax || op == Softmax::log_softmax_grad;
      const Tensor z = to_f64(normals(c.x, DType::f64, 2));
      const Softmax forward = of_log ? Softmax::log_softmax : Softmax::softmax;
      const Tensor y = cast(softmax_reference(forward, z, z, c.axis), dtype);
      const Tensor want = softmax_reference(op, to_f64(x), to_f64(y), c.axis);
      const Tensor there = y.to(device), got = softmax_any(op, x, there, c.axis);
      CHECK(got.dtype() == dtype);
      CHECK(largest_error(got, want) <= c.tolerance(dtype, std::fmax(largest(want), 1.0)));
      for_each_order(device, [&] { CHECK(same_bits(softmax_any(op, x, there, c.axis), got)); });
    }
    // What the specification says of itself: shares that add up to 1.
    const Tensor shares = softmax_reference(Softmax::softmax, to_f64(x), to_f64(x), c.axis);
    const Tensor sums = reduce_reference(Reduction::sum, shares, {c.axis});
    CHECK(largest_error(sums, Tensor::full(sums.shape(), 1, DType::f64, Device::cpu())) <= 1e-14);
  });
}

TEST_CASE("random shapes: cross-entropy and its gradient") {
  const Guarded guarded;
  for_each_problem(trials, 16'000, [](Device device, Draw& draw) {
    const Shape shape{draw.extent(), draw.among({1, 2, 3, 5, 10, 31, 32, 67, 131})};
    const CrossEntropyCase c{shape, draw.between(0, 1) * 0.25, draw.between(0, 1) == 1};
    const DType dtype = draw.floating_dtype();
    CAPTURE(shape);
    CAPTURE(c.smoothing);
    CAPTURE(dtype);
    const Tensor x = normals(shape, dtype, 1), labels = c.labels().to(device);
    const CrossEntropyValues want = cross_entropy_reference(to_f64(x), c.labels(), c.options());
    const double loss = want.loss.item();
    const CrossEntropyResult got = cross_entropy(x, labels, c.options());
    CHECK(std::fabs(got.loss.item() - loss) <= c.loss_tolerance(dtype, loss));
    const Tensor dy = Tensor::scalar(-1.5, acc_dtype(dtype));
    const Tensor dx = cross_entropy_grad(dy, x, labels, got, c.options());
    const Tensor want_dx = scale(want.dx, -1.5);
    CHECK(dx.shape() == shape);
    CHECK(largest_error(dx, want_dx) <= c.grad_tolerance(dtype, largest(want_dx)));
    for_each_order(device, [&] {
      CHECK(same_bits(cross_entropy(x, labels, c.options()).loss, got.loss));
      CHECK(same_bits(cross_entropy_grad(dy, x, labels, got, c.options()), dx));
    });
  });
}

TEST_CASE("random shapes: comparisons and where") {
  const Guarded guarded;
  for_each_problem(trials, 17'000, [](Device device, Draw& draw) {
    const Shape whole = draw.shape(0);
    const Shape as = repeated(draw, whole), bs = repeated(draw, whole), ms = repeated(draw, whole);
    const DType dtype = draw.dtype();
    CAPTURE(as);
    CAPTURE(bs);
    CAPTURE(ms);
    CAPTURE(dtype);
    const Tensor a = integers(as, dtype, 1), b = integers(bs, dtype, 2);
    for (const Comparison op :
         {Comparison::equal, Comparison::not_equal, Comparison::less, Comparison::less_equal,
          Comparison::logical_and, Comparison::logical_or}) {
      CAPTURE(name_of(op));
      const Tensor want = compare_reference(op, on_host(a), on_host(b));
      CHECK(want.shape() == together(as, bs));
      for_each_order(device, [&] { CHECK(same_bits(compare(op, a, b), want)); });
    }
    const Tensor mask = integers(ms, DType::u8, 3);
    const Tensor want = where_reference(on_host(mask), on_host(a), on_host(b));
    CHECK(want.shape() == together(ms, together(as, bs)));
    for_each_order(device, [&] { CHECK(same_bits(where(mask, a, b), want)); });
  });
}

TEST_CASE("random shapes: argmax") {
  const Guarded guarded;
  for_each_problem(trials, 18'000, [](Device device, Draw& draw) {
    Shape shape = draw.shape(1);
    const int at = draw.between(0, shape.dim() - 1);
    shape.set(at, draw.among({1, 2, 3, 7, 16, 31, 33, 67, 131}));
    const int axis = draw.between(0, 1) == 1 ? at : at - shape.dim();
    const bool keepdim = draw.between(0, 1) == 1;
    Shape expected;
    for (int i = 0; i < shape.dim(); ++i) {
      if (i != at || keepdim) expected.append(i == at ? 1 : shape[i]);
    }
    const DType dtype = draw.dtype();
    CAPTURE(shape);
    CAPTURE(axis);
    CAPTURE(dtype);
    const Tensor x = integers(shape, dtype, 1);  // with ties: the first one counts
    const Tensor want = reduce_reference(Reduction::argmax, on_host(x), {axis}, keepdim);
    CHECK(want.shape() == expected);
    for_each_order(device, [&] {
      const Tensor got = argmax(x, axis, keepdim);
      CHECK(got.dtype() == DType::i64);
      CHECK(same_bits(cast(on_host(got), DType::f64), want));
    });
    const Tensor all = reduce_reference(Reduction::argmax, on_host(x), {}, false);
    for_each_order(device, [&] { CHECK(same_bits(cast(on_host(argmax(x)), DType::f64), all)); });
  });
}
