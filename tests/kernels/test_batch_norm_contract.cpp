// Running statistics, and what batch norm refuses.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "kernels/batch_norm/batch_norm.h"
#include "kernels/tolerance.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::kernels;

namespace {

constexpr double eps = 1e-5;

}  // namespace

TEST_CASE("update_running: once per group, in order, in place") {
  const test::Guarded guarded;
  for (const DType dtype : {DType::f32, DType::f64})
    test::for_each_device([&](Device device) {
      Tensor mean = Tensor::zeros({2}, dtype), var = Tensor::full({2}, 1.0, dtype);
      const Tensor shared = mean;
      Tensor means = Tensor::empty({2, 2}, dtype, Device::cpu()), vars = means.clone();
      dispatch<float, double>(dtype, "test", [&]<class A> {
        const A m[] = {4, 8, 16, -8}, v[] = {3, 6, 9, 12};
        std::copy(m, m + 4, means.mutable_data<A>());
        std::copy(v, v + 4, vars.mutable_data<A>());
      });
      means = means.to(device), vars = vars.to(device);
      const std::uint64_t before_mean = mean.version(), before_var = var.version();
      update_running(mean, var, means, vars, 4, 0.25);
      CHECK(mean.version() > before_mean);
      CHECK(var.version() > before_var);
      CHECK(mean.shares_storage(shared));
      // Exact in binary: 0 -> 1 -> 4.75, 0 -> 2 -> -0.5; variances times 4/3.
      const Tensor m = test::to_f64(mean), v = test::to_f64(var);
      CHECK(m.data<double>()[0] == 4.75);
      CHECK(m.data<double>()[1] == -0.5);
      CHECK(std::fabs(v.data<double>()[0] - (0.75 * 1.75 + 3.0)) <= 8 * epsilon(dtype));
      CHECK(std::fabs(v.data<double>()[1] - (0.75 * 2.75 + 4.0)) <= 8 * epsilon(dtype));
      update_running(mean, var, means, vars, 1, 1.0, false);
      CHECK(test::largest_error(mean.reshape({1, 2}), means.slice(1, 2)) == 0.0);
      CHECK(test::largest_error(var.reshape({1, 2}), vars.slice(1, 2)) == 0.0);
    });
}

TEST_CASE("batch_norm: messages name what was expected and what came") {
  const Tensor g8 = Tensor::zeros({8}), x = Tensor::zeros({4, 2, 2, 8});
  const auto forward = [&](const Tensor& input, std::int64_t groups = 1) {
    return test::error_of([&] { batch_norm(input, g8, g8, eps, groups); });
  };
  CHECK(forward(x, 2) == "");
  CHECK(forward(Tensor::zeros({1, 1, 1, 8})) ==
        "[batch_norm] needs more than one value per channel, but x is (1, 1, 1, 8) with "
        "stat_groups=1; its variance would be 0. Use a larger batch, or inference statistics");
  CHECK(forward(Tensor::zeros({4, 8}), 4).find("more than one value") != std::string::npos);
  CHECK(forward(Tensor::zeros({0, 8})).find("more than one value") != std::string::npos);
  CHECK(forward(x, 3) ==
        "[batch_norm] cannot split the batch of x (4, 2, 2, 8) into stat_groups=3 equal parts");
  CHECK(forward(x, 0).find("stat_groups=0") != std::string::npos);
  CHECK(forward(Tensor::zeros({8})).find("at least two dimensions") != std::string::npos);
  CHECK(forward(Tensor::zeros({4, 7})) ==
        "[batch_norm] expects gamma of shape (7,) for x (4, 7), but it is (8,); was the layer made "
        "for another number of channels?");
  CHECK(forward(Tensor::zeros({4, 8}, DType::f64)) ==
        "[batch_norm] expects gamma in f64 for x in f64, but it is f32; parameters and statistics "
        "are not cast down");
  CHECK(forward(Tensor::zeros({4, 8}, DType::i64)).find("does not take i64") != std::string::npos);
  CHECK(forward(Tensor()).find("x is undefined") != std::string::npos);

  const Tensor stats = Tensor::zeros({1, 8});
  const auto backward = [&](const Tensor& dy, const Tensor& mean, std::int64_t groups) {
    return test::error_of(
        [&] { batch_norm_lrelu_grad(dy, x, g8, g8, mean, stats, 0.2, groups, Engine::direct); });
  };
  CHECK(backward(x, stats, 1) == "");
  CHECK(backward(Tensor::zeros({4, 2, 8}), stats, 1) ==
        "[batch_norm_lrelu_grad] expects dy like x (4, 2, 2, 8) f32, but it is (4, 2, 8) f32");
  CHECK(backward(x, stats, 2).find("expects mean of shape (2, 8)") != std::string::npos);
  CHECK(test::error_of([&] { batch_norm(x, g8, g8, eps, 1, Engine::wgmma); }) ==
        "[batch_norm] engine wgmma does not run on the CPU; use auto, direct or reference");
  CHECK(test::error_of([&] {
          const Tensor d = Tensor::zeros({8}, DType::f64);
          batch_norm(Tensor::zeros({4, 8}, DType::f64), d, d, eps, 1, Engine::direct);
        }) ==
        "[batch_norm] engine direct cannot do x (4, 8) in f64: direct takes f32 and bf16; use auto "
        "or "
        "reference");

  Tensor running = Tensor::zeros({8}), other = Tensor::zeros({8});
  CHECK(test::error_of([&] {
          update_running(running, running, stats, stats, 4, 0.1);
        }).find("share one storage") != std::string::npos);
  CHECK(test::error_of([&] {
          update_running(running, other, stats, stats, 1, 0.1);
        }).find("count=1") != std::string::npos);
  CHECK(test::error_of([&] {
          update_running(running, other, stats, stats, 4, 1.5);
        }).find("momentum in [0, 1]") != std::string::npos);
}
