#include <doctest/doctest.h>

#include <cmath>

#include "kernels/batch_norm/batch_norm.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/group_norm/cases.h"
#include "kernels/group_norm/group_norm.h"
#include "tensor/context.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;

namespace {

constexpr double eps = 1e-5;
const DType floating[] = {DType::f32, DType::f64, DType::bf16};

struct Inputs {
  Tensor x, dy, gamma, beta;
};

Inputs inputs_for(const NormCase& c, DType dtype) {
  const Shape channels{c.problem().channels()};
  const DType acc = acc_dtype(dtype);
  return {cast(add_scalar(test::normals(c.x, DType::f64, 1), 2), dtype),
          test::normals(c.x, dtype, 2), add_scalar(test::normals(channels, acc, 3), 1.5),
          test::normals(channels, acc, 4)};
}

Inputs moved(const Inputs& in, Device device) {
  return {in.x.to(device), in.dy.to(device), in.gamma.to(device), in.beta.to(device)};
}

}  // namespace

TEST_CASE("group_norm: forward and backward agree with the reference in f64") {
  const test::Guarded guarded;
  for (const NormCase& c : norm_cases()) {
    CAPTURE(c.name);
    const NormProblem p = c.problem();
    for (const DType dtype : floating) {
      CAPTURE(dtype);
      const Inputs in = inputs_for(c, dtype);
      const DType acc = acc_dtype(dtype);
      const auto wide = [](const Tensor& t) { return test::to_f64(t); };
      const NormResult want =
          normalise(p, wide(in.x), wide(in.gamma), wide(in.beta), eps, Engine::reference);
      // The gradient is that of the statistics which the forward pass kept, in acc_t.
      const Tensor mean = cast(want.mean, acc), invstd = cast(want.invstd, acc);
      const NormGrads grads = normalise_grad(p, wide(in.dy), wide(in.x), wide(in.gamma), wide(mean),
                                             wide(invstd), true, Engine::reference);
      const double most = test::largest(invstd), gamma = test::largest(in.gamma);
      const double shift = test::largest(want.mean) * most * gamma;
      const double dx_scale = test::largest(in.dy) * gamma * most * 2;
      test::for_each_device([&](Device device) {
        const Inputs there = moved(in, device);
        const NormResult got = normalise(p, there.x, there.gamma, there.beta, eps);
        CHECK(got.y.dtype() == dtype);
        CHECK(got.mean.dtype() == acc);
        CHECK(test::largest_error(got.y, want.y) <=
              c.tolerance(dtype, dtype, test::largest(want.y) + shift));
        CHECK(test::largest_error(got.mean, want.mean) <=
              c.tolerance(acc, acc, test::largest(want.mean)));
        CHECK(test::largest_error(got.invstd, want.invstd) <= c.tolerance(acc, acc, 2 * most));
        const NormGrads back =
            normalise_grad(p, there.dy, there.x, there.gamma, mean.to(device), invstd.to(device));
        CHECK(test::largest_error(back.dx, grads.dx) <= c.tolerance(dtype, dtype, dx_scale));
        const double term = test::largest(in.dy) * 2;
        CHECK(test::largest_error(back.dgamma, grads.dgamma) <= c.parameter_tolerance(dtype, term));
        CHECK(test::largest_error(back.dbeta, grads.dbeta) <= c.parameter_tolerance(dtype, term));
        if (dtype != DType::f32) return;
        // A tensor may begin anywhere; parameters may be wanted or not.
        const Tensor off_x = test::off_boundary(there.x), off_dy = test::off_boundary(there.dy);
        const NormResult off = normalise(p, off_x, there.gamma, there.beta, eps);
        CHECK(test::largest_error(off.y, want.y) <=
              c.tolerance(dtype, dtype, test::largest(want.y) + shift));
        const NormGrads off_back = normalise_grad(p, off_dy, off_x, there.gamma, mean.to(device),
                                                  invstd.to(device), false);
        CHECK(!off_back.dgamma.defined());
        CHECK(test::largest_error(off_back.dx, grads.dx) <= c.tolerance(dtype, dtype, dx_scale));
        if (!device.is_cuda()) return;
        test::for_each_order(device, [&] {
          CHECK(same_bits(normalise(p, there.x, there.gamma, there.beta, eps).y, got.y));
          const NormGrads again =
              normalise_grad(p, there.dy, there.x, there.gamma, mean.to(device), invstd.to(device));
          CHECK(same_bits(again.dx, back.dx));
          CHECK(same_bits(again.dgamma, back.dgamma));
          CHECK(same_bits(again.dbeta, back.dbeta));
        });
      });
    }
  }
}

TEST_CASE("group_norm: a mean that is large against the spread costs nothing beyond its rounding") {
  test::for_each_device([](Device) {
    for (const NormCase& c :
         {NormCase{"rows", {5, 130}, 0, {130}}, NormCase{"images", {2, 9, 9, 6}, 2}}) {
      const NormProblem p = c.problem();
      // 4096 and eighths: exact in f32.
      const Tensor x = add_scalar(scale(test::small_integers(c.x, DType::f32, 7), 0.125), 4096);
      const NormResult got = normalise(p, x, {}, {}, eps);
      const Tensor wide = test::to_f64(x);
      const NormResult want = normalise(p, wide, {}, {}, eps, Engine::reference);
      CHECK(test::largest_error(got.invstd, want.invstd) <= 1e-4 * test::largest(want.invstd));
      CHECK(test::largest_error(got.y, want.y) <= 2e-3);
    }
  });
}

TEST_CASE(
    "group_norm: instance norm is batch norm of each image, undefined parameters are 1 and 0") {
  test::for_each_device([](Device device) {
    const Shape shape{3, 4, 5, 8};
    const Tensor x = test::normals(shape, DType::f32, 5);
    const NormProblem p = group_norm_problem(shape, 8);
    const Tensor ones = Tensor::full({8}, 1), zeros = Tensor::zeros({8});
    const NormResult got = normalise(p, x, {}, {}, eps);
    CHECK(same_bits(normalise(p, x, ones, zeros, eps).y, got.y));
    CHECK(test::largest_error(got.y, batch_norm(x, ones, zeros, eps, 3).y) <= 1e-6);
    CHECK(got.y.device() == device);
    CHECK(normalise(group_norm_problem({0, 4, 8}, 2), Tensor::zeros({0, 4, 8}), {}, {}, eps)
              .y.shape() == Shape{0, 4, 8});
  });
}

TEST_CASE("group_norm: the number of threads does not change a bit") {
  const ContextScope scope;
  std::vector<NormCase> cases = norm_cases();
  cases.push_back({"more rows", {4001, 20}, 0, {20}});
  cases.push_back({"one image", {1, 100, 100, 8}, 2});
  for (const NormCase& c : cases) {
    const NormProblem p = c.problem();
    const Inputs in = inputs_for(c, DType::f32);
    set_num_threads(1);
    const NormResult want = normalise(p, in.x, in.gamma, in.beta, eps);
    const NormGrads grads = normalise_grad(p, in.dy, in.x, in.gamma, want.mean, want.invstd);
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      const NormResult got = normalise(p, in.x, in.gamma, in.beta, eps);
      CHECK(same_bits(got.y, want.y));
      CHECK(same_bits(got.invstd, want.invstd));
      const NormGrads back = normalise_grad(p, in.dy, in.x, in.gamma, want.mean, want.invstd);
      CHECK(same_bits(back.dx, grads.dx));
      CHECK(same_bits(back.dgamma, grads.dgamma));
      CHECK(same_bits(back.dbeta, grads.dbeta));
    }
  }
}

TEST_CASE("group_norm: messages name what was expected and what came") {
  const Tensor x = Tensor::zeros({2, 3, 4});
  CHECK(test::error_of([&] { group_norm_problem(x.shape(), 3); }) ==
        "[group_norm] cannot split the 4 channels of x (2, 3, 4) into groups=3 equal groups");
  CHECK(test::error_of([&] { layer_norm_problem(x.shape(), {3}); }) ==
        "[layer_norm] x (2, 3, 4) does not end in the normalised dimensions (3,)");
  CHECK(test::error_of([&] {
          normalise(group_norm_problem({2, 4}, 4), Tensor::zeros({2, 4}), {}, {}, eps);
        }) ==
        "[group_norm] needs more than one value in a group, but x is (2, 4) with groups=4; the "
        "variance would be 0");
  const NormProblem p = layer_norm_problem(x.shape(), {4});
  CHECK(test::error_of([&] { normalise(p, x, Tensor::zeros({3}), {}, eps); }) ==
        "[layer_norm] expects gamma of 4 elements for x (2, 3, 4), but it is (3,); was the layer "
        "made "
        "for another number of channels?");
  CHECK(test::contains(
      test::error_of([&] { normalise(p, x, Tensor::zeros({4}, DType::f64), {}, eps); }),
      "[layer_norm] expects gamma in f32 for x in f32, but it is f64"));
  CHECK(test::error_of([&] { normalise(p, Tensor::zeros({24}, DType::i32), {}, {}, eps); }) ==
        "[layer_norm] does not take i32; it takes f32, f64, bf16");
  CHECK(test::contains(test::error_of([&] {
                         normalise_grad(p, Tensor::zeros({24}), x, {}, Tensor::zeros({6}),
                                        Tensor::zeros({6}));
                       }),
                       "[layer_norm] expects dy like x (2, 3, 4) f32 on cpu, but it is (24,) f32 "
                       "on cpu"));
  CHECK(test::error_of([&] {
          normalise_grad(p, Tensor(), x, {}, Tensor::zeros({6}), Tensor::zeros({6}));
        }) == "[layer_norm] dy is undefined; was backward run?");
}
