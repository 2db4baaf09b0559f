// Properties of normalisation, reductions and broadcasting over random shapes.
#include <doctest/doctest.h>

#include "kernels/batch_norm/batch_norm.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/group_norm/group_norm.h"
#include "kernels/reduce/axes.h"
#include "kernels/reduce/reduce.h"
#include "random_shapes.h"
#include "tensor/context.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::kernels;
using namespace imago::test;

namespace {

constexpr int trials = 300;

// Small integers differ by 0 or by 1 and more, so that no variance is near 0 but not 0; what is
// left are the roundings of a dozen operations.
constexpr double norm_bound = 2e-5;

// |got - want| <= bound (1 + the largest of want).
void check_near(const char* what, const Tensor& got, const Tensor& want, double bound) {
  CAPTURE(what);
  CHECK(largest_error(got, want) <= bound * (1 + largest(want)));
}

}  // namespace

TEST_CASE("random shapes: layer, group and instance norm") {
  for_each_problem(trials, 5000, [](Device, Draw& draw) {
    const int groups = draw.among({1, 2, 3, 5}), width = draw.among({1, 2, 3, 8, 11});
    const Shape shape = draw.images(groups * width);
    CAPTURE(shape);
    CAPTURE(groups);
    const bool layer = draw.trial() % 3 == 2;
    const NormProblem problem =
        layer ? layer_norm_problem(shape, {shape[2], shape[3]}) : group_norm_problem(shape, groups);
    const Shape channels{problem.channels()};
    const Tensor x = small_integers(shape, DType::f32, 1);
    const Tensor gamma = small_integers(channels, DType::f32, 2),
                 beta = small_integers(channels, DType::f32, 3);
    if (problem.terms() < 2) {
      CHECK(contains(error_of([&] { normalise(problem, x, gamma, beta, 1e-5); }), problem.name));
      return;
    }
    const NormResult got = normalise(problem, x, gamma, beta, 1e-5);
    const NormResult want =
        normalise(problem, exact(x), exact(gamma), exact(beta), 1e-5, Engine::reference);
    CHECK(got.y.shape() == shape);
    CHECK(got.mean.shape() == Shape{problem.images, problem.groups});
    check_near("y", got.y, want.y, norm_bound);
    check_near("mean", got.mean, want.mean, norm_bound);
    check_near("invstd", got.invstd, want.invstd, norm_bound);
    const Tensor dy = small_integers(shape, DType::f32, 4);
    const NormGrads grads = normalise_grad(problem, dy, x, gamma, got.mean, got.invstd);
    const NormGrads want_grads = normalise_grad(problem, exact(dy), exact(x), exact(gamma),
                                                want.mean, want.invstd, true, Engine::reference);
    check_near("dx", grads.dx, want_grads.dx, norm_bound);
    check_near("dgamma", grads.dgamma, want_grads.dgamma, norm_bound);
    check_near("dbeta", grads.dbeta, want_grads.dbeta, norm_bound);
  });
}

TEST_CASE("random shapes: batch norm") {
  for_each_problem(trials, 6000, [](Device, Draw& draw) {
    const int parts = draw.among({1, 1, 2, 3});
    Shape shape = draw.images(draw.among({1, 2, 3, 8, 13, 33}));
    shape.set(0, shape[0] * parts);
    CAPTURE(shape);
    CAPTURE(parts);
    const Shape channels{shape[3]};
    const Tensor x = small_integers(shape, DType::f32, 1);
    const Tensor gamma = small_integers(channels, DType::f32, 2),
                 beta = small_integers(channels, DType::f32, 3);
    if (shape.numel() / shape[3] / parts < 2) {
      CHECK(contains(error_of([&] { batch_norm(x, gamma, beta, 1e-5, parts); }), "[batch_norm]"));
      return;
    }
    const BatchNormResult got = batch_norm(x, gamma, beta, 1e-5, parts);
    const BatchNormResult want =
        batch_norm(exact(x), exact(gamma), exact(beta), 1e-5, parts, Engine::reference);
    CHECK(got.y.shape() == shape);
    CHECK(got.mean.shape() == Shape{parts, shape[3]});
    check_near("y", got.y, want.y, norm_bound);
    check_near("mean", got.mean, want.mean, norm_bound);
    check_near("var", got.var, want.var, norm_bound);
    const Tensor dy = small_integers(shape, DType::f32, 4);
    const BatchNormGrads grads = batch_norm_grad(dy, x, gamma, got.mean, got.invstd, parts);
    const BatchNormGrads want_grads = batch_norm_grad(exact(dy), exact(x), exact(gamma), want.mean,
                                                      want.invstd, parts, Engine::reference);
    check_near("dx", grads.dx, want_grads.dx, norm_bound);
    check_near("dgamma", grads.dgamma, want_grads.dgamma, norm_bound);
    check_near("dbeta", grads.dbeta, want_grads.dbeta, norm_bound);
  });
}

TEST_CASE("random shapes: reductions over any axes") {
  for_each_problem(trials, 7000, [](Device, Draw& draw) {
    const Shape shape = draw.shape(1);
    AxisList axes;
    Shape expected;
    const bool keepdim = draw.between(0, 1) == 1;
    for (int i = 0; i < shape.dim(); ++i) {
      const bool reduced = draw.between(0, 1) == 1;
      if (reduced) axes.push_back(draw.between(0, 1) ? i : i - shape.dim());
      if (!reduced || keepdim) expected.append(reduced ? 1 : shape[i]);
    }
    if (axes.empty()) return;  // which means all of them
    CAPTURE(shape);
    CAPTURE(expected);
    const Tensor x = small_integers(shape, DType::f32, 1), host = exact(x);
    const auto check_op = [&](const char* what, Reduction op, const Tensor& got, double bound) {
      CAPTURE(what);
      CHECK(got.shape() == expected);
      check_near(what, got, reduce_reference(op, host, axes, keepdim), bound);
    };
    check_op("sum", Reduction::sum, sum(x, axes, keepdim), 0);
    check_op("max", Reduction::max, max(x, axes, keepdim), 0);
    check_op("min", Reduction::min, min(x, axes, keepdim), 0);
    check_op("logsumexp", Reduction::logsumexp, logsumexp(x, axes, keepdim), 1e-6);
    check_op("norm1", Reduction::norm1, norm(x, 1, axes, keepdim), 0);
    check_op("norm2", Reduction::norm2, norm(x, 2, axes, keepdim), 1e-6);
  });
}

TEST_CASE("random shapes: broadcasting") {
  for_each_problem(trials, 8000, [](Device, Draw& draw) {
    const Shape whole = draw.shape(0);
    // Each side lacks some of the outer dimensions and has 1 for some others; one has what the
    // other lacks.
    const int missing = draw.between(0, whole.dim());
    Shape a = whole, b;
    for (int i = missing; i < whole.dim(); ++i) {
      const bool repeat_b = draw.between(0, 2) == 0;
      b.append(repeat_b ? 1 : whole[i]);
      if (!repeat_b && draw.between(0, 2) == 0) a.set(i, 1);
    }
    CAPTURE(a);
    CAPTURE(b);
    const Tensor x = small_integers(a, DType::f32, 1), y = small_integers(b, DType::f32, 2);
    for (const Binary op : {Binary::add, Binary::sub, Binary::mul, Binary::maximum}) {
      CAPTURE(name_of(op));
      for (const bool swapped : {false, true}) {
        const Tensor got = swapped ? binary(op, y, x) : binary(op, x, y);
        CHECK(got.shape() == whole);
        const Tensor want = swapped ? binary_reference(op, exact(y), exact(x))
                                    : binary_reference(op, exact(x), exact(y));
        CHECK(largest_error(got, want) == 0);
      }
    }
    // The sum back to the smaller shape is the adjoint of the repetition.
    const Tensor up = broadcast_to(y, whole), z = small_integers(whole, DType::f32, 3);
    CHECK(up.shape() == whole);
    const Tensor down = sum_to(z, b);
    CHECK(down.shape() == b);
    CHECK(largest_error(down, sum_to_reference(exact(z), b)) == 0);
    CHECK(dot(up, z) == dot(y, down));
  });
}
