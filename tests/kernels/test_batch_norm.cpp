#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/batch_norm/cases.h"
#include "tensor/context.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::kernels;

namespace {

constexpr double eps = 1e-5;

struct Inputs {
  Tensor x, dy;        // T
  Tensor gamma, beta;  // acc_t
};

// Channels differ in mean and spread; `mean` is added to all.
Inputs inputs(const BatchNormCase& c, DType dtype, double mean = 0) {
  const std::int64_t channels = c.channels();
  std::int64_t i = 0;
  RandomStream stream(1);
  const auto next = [&] {
    const auto k = static_cast<float>(i++ % channels);
    return static_cast<float>(mean) + 0.25f * k + (1.0f + 0.01f * k) * stream.normal();
  };
  const DType acc = acc_dtype(dtype);
  return {test::filled(c.x, dtype, next), test::normals(c.x, dtype, 2),
          test::normals({channels}, acc, 3), test::normals({channels}, acc, 4)};
}

struct Expected {
  Tensor y, mean, invstd, var;
};

// The textbook in f64: forward with statistics of its own.
Expected expected_forward(const BatchNormCase& c, const Inputs& in, double slope) {
  const Tensor x = test::to_f64(in.x), gamma = test::to_f64(in.gamma), beta = test::to_f64(in.beta);
  const std::int64_t C = c.channels(), M = c.rows();
  const Shape stats{c.stat_groups, C};
  Expected out{Tensor::empty_like(x), Tensor::empty(stats, DType::f64),
               Tensor::empty(stats, DType::f64), Tensor::empty(stats, DType::f64)};
  for (std::int64_t j = 0; j < c.stat_groups * C; ++j) {
    const std::int64_t g = j / C, ch = j % C, first = g * M * C + ch;
    double mean = 0, var = 0;
    for (std::int64_t r = 0; r < M; ++r)
      mean += x.data<double>()[first + r * C] / static_cast<double>(M);
    for (std::int64_t r = 0; r < M; ++r)
      var += std::pow(x.data<double>()[first + r * C] - mean, 2) / static_cast<double>(M);
    out.mean.mutable_data<double>()[j] = mean;
    out.var.mutable_data<double>()[j] = var;
    out.invstd.mutable_data<double>()[j] = std::pow(var + eps, -0.5);
    for (std::int64_t r = 0; r < M; ++r) {
      const double xhat = (x.data<double>()[first + r * C] - mean) / std::sqrt(var + eps);
      const double z = gamma.data<double>()[ch] * xhat + beta.data<double>()[ch];
      out.y.mutable_data<double>()[first + r * C] = z > 0 ? z : slope * z;
    }
  }
  return out;
}

// Ioffe & Szegedy's backward pass by way of the gradients of variance and
// mean, in f64, at given statistics.
BatchNormGrads expected_backward(const BatchNormCase& c, const Inputs& in, const Tensor& mean32,
                                 const Tensor& invstd32, double slope) {
  const Tensor x = test::to_f64(in.x), dy = test::to_f64(in.dy), gamma = test::to_f64(in.gamma);
  const Tensor beta = test::to_f64(in.beta), mean = test::to_f64(mean32),
               invstd = test::to_f64(invstd32);
  const std::int64_t C = c.channels(), M = c.rows();
  const double n = static_cast<double>(M);
  BatchNormGrads out{Tensor::empty_like(x), Tensor::zeros({C}, DType::f64),
                     Tensor::zeros({C}, DType::f64)};
  for (std::int64_t j = 0; j < c.stat_groups * C; ++j) {
    const std::int64_t g = j / C, ch = j % C, first = g * M * C + ch;
    const double m = mean.data<double>()[j], s = invstd.data<double>()[j];
    const double ga = gamma.data<double>()[ch], be = beta.data<double>()[ch];
    std::vector<double> dxhat, centred;
    double dvar = 0, sum_dxhat = 0;
    for (std::int64_t r = 0; r < M; ++r) {
      const double d = x.data<double>()[first + r * C] - m;
      const double dz = dy.data<double>()[first + r * C] * (ga * d * s + be > 0 ? 1.0 : slope);
      out.dgamma.mutable_data<double>()[ch] += dz * d * s;
      out.dbeta.mutable_data<double>()[ch] += dz;
      dxhat.push_back(dz * ga);
      centred.push_back(d);
      dvar += dz * ga * d * -0.5 * s * s * s;
      sum_dxhat += dz * ga;
    }
    for (std::size_t r = 0; r < dxhat.size(); ++r)
      out.dx.mutable_data<double>()[first + static_cast<std::int64_t>(r) * C] =
          dxhat[r] * s + dvar * 2 * centred[r] / n - sum_dxhat * s / n;
  }
  return out;
}

std::vector<Engine> engines_for(DType dtype) {
  if (dtype == DType::f32) return {Engine::reference, Engine::direct};
  return {Engine::reference};
}

void check_forward(const BatchNormCase& c, const Inputs& in, double slope, Engine engine) {
  const DType dtype = in.x.dtype(), acc = acc_dtype(dtype);
  const Expected want = expected_forward(c, in, slope);
  const BatchNormResult got =
      batch_norm_lrelu(in.x, in.gamma, in.beta, eps, slope, c.stat_groups, engine);
  const double mean = test::largest(want.mean), invstd = test::largest(want.invstd);
  CHECK(got.y.dtype() == dtype);
  CHECK(got.mean.dtype() == acc);
  CHECK(test::largest_error(got.mean, want.mean) <=
        c.tolerance(dtype, acc, mean + test::largest(want.var)));
  CHECK(test::largest_error(got.var, want.var) <= c.tolerance(dtype, acc, test::largest(want.var)));
  CHECK(test::largest_error(got.invstd, want.invstd) <= c.tolerance(dtype, acc, invstd));
  const double scale = test::largest(want.y) + test::largest(in.gamma) * mean * invstd;
  CHECK(test::largest_error(got.y, want.y) <= c.tolerance(dtype, dtype, scale));
}

void check_backward(const BatchNormCase& c, const Inputs& in, double slope, Engine engine) {
  const DType dtype = in.x.dtype();
  const BatchNormResult forward =
      batch_norm_lrelu(in.x, in.gamma, in.beta, eps, slope, c.stat_groups, engine);
  const BatchNormGrads want = expected_backward(c, in, forward.mean, forward.invstd, slope);
  const BatchNormGrads got = batch_norm_lrelu_grad(in.dy, in.x, in.gamma, in.beta, forward.mean,
                                                   forward.invstd, slope, c.stat_groups, engine);
  const double dy = test::largest(in.dy);
  const double scale = dy * test::largest(in.gamma) * test::largest(forward.invstd);
  CHECK(got.dx.dtype() == dtype);
  CHECK(got.dgamma.dtype() == acc_dtype(dtype));
  CHECK(test::largest_error(got.dx, want.dx) <= c.tolerance(dtype, dtype, scale));
  CHECK(test::largest_error(got.dgamma, want.dgamma) <= c.parameter_tolerance(dtype, dy));
  CHECK(test::largest_error(got.dbeta, want.dbeta) <= c.parameter_tolerance(dtype, dy));
}

template <class F>
void for_all(F&& f) {
  for (const BatchNormCase& c : batch_norm_cases()) {
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
      for (const Engine engine : engines_for(dtype)) {
        CAPTURE(c.name);
        CAPTURE(std::string(name_of(dtype)));
        CAPTURE(std::string(name_of(engine)));
        f(c, dtype, engine);
      }
    }
  }
}

bool same(const BatchNormResult& a, const BatchNormResult& b) {
  return same_bits(a.y, b.y) && same_bits(a.mean, b.mean) && same_bits(a.invstd, b.invstd) &&
         same_bits(a.var, b.var);
}

bool same(const BatchNormGrads& a, const BatchNormGrads& b) {
  return same_bits(a.dx, b.dx) && same_bits(a.dgamma, b.dgamma) && same_bits(a.dbeta, b.dbeta);
}

}  // namespace

TEST_CASE("batch_norm: values and gradients stay within the tolerance") {
  const test::Guarded guarded;
  for_all([](const BatchNormCase& c, DType dtype, Engine engine) {
    const Inputs in = inputs(c, dtype);
    for (const double slope : {1.0, 0.2, 0.0}) {
      CAPTURE(slope);
      check_forward(c, in, slope, engine);
      check_backward(c, in, slope, engine);
    }
  });
}

TEST_CASE("batch_norm: a mean of 10^4 spreads does not spoil the variance") {
  const BatchNormCase c{"large mean", {4, 33, 31, 13}};
  const Inputs in = inputs(c, DType::f32, 1e4);
  for (const Engine engine : {Engine::reference, Engine::direct}) {
    CAPTURE(std::string(name_of(engine)));
    check_forward(c, in, 0.2, engine);
    check_backward(c, in, 0.2, engine);
    const BatchNormResult got = batch_norm(in.x, in.gamma, in.beta, eps, 1, engine);
    const Expected want = expected_forward(c, in, 1.0);
    // No worse than at mean 0: sums of raw squares would be wrong in every digit here.
    CHECK(test::largest_error(got.var, want.var) <=
          c.tolerance(DType::f32, DType::f32, test::largest(want.var)));
    CHECK(test::largest_error(got.mean, want.mean) <=
          0.5 * epsilon(DType::f32) * test::largest(want.mean));
  }
}

TEST_CASE("batch_norm: a constant channel has variance 0 and y = beta") {
  for (const Engine engine : {Engine::reference, Engine::direct}) {
    const Tensor x = Tensor::full({3, 5, 5, 6}, 0.1), gamma = Tensor::full({6}, 2.0),
                 beta = Tensor::full({6}, 0.5);
    const BatchNormResult got = batch_norm(x, gamma, beta, eps, 1, engine);
    CHECK(test::largest(got.var) == 0.0);
    CHECK(test::largest_error(got.y, Tensor::full({3, 5, 5, 6}, 0.5)) == 0.0);
  }
}

TEST_CASE("batch_norm: stat_groups equal separate calls, bit for bit") {
  for_all([](const BatchNormCase& c, DType dtype, Engine engine) {
    const Inputs in = inputs(c, dtype);
    const std::int64_t G = c.stat_groups, n = c.x[0] / G;
    const BatchNormResult all = batch_norm_lrelu(in.x, in.gamma, in.beta, eps, 0.2, G, engine);
    const BatchNormGrads grads =
        batch_norm_lrelu_grad(in.dy, in.x, in.gamma, in.beta, all.mean, all.invstd, 0.2, G, engine);
    for (std::int64_t g = 0; g < G; ++g) {
      const Tensor x = in.x.slice(g * n, (g + 1) * n), dy = in.dy.slice(g * n, (g + 1) * n);
      const BatchNormResult one = batch_norm_lrelu(x, in.gamma, in.beta, eps, 0.2, 1, engine);
      CHECK(same_bits(all.y.slice(g * n, (g + 1) * n), one.y));
      CHECK(same_bits(all.mean.slice(g, g + 1), one.mean));
      CHECK(same_bits(all.invstd.slice(g, g + 1), one.invstd));
      CHECK(same_bits(all.var.slice(g, g + 1), one.var));
      const BatchNormGrads one_grads =
          batch_norm_lrelu_grad(dy, x, in.gamma, in.beta, one.mean, one.invstd, 0.2, 1, engine);
      CHECK(same_bits(grads.dx.slice(g * n, (g + 1) * n), one_grads.dx));
    }
  });
}

TEST_CASE("batch_norm: outputs written past the caches have the same bits") {
  const BatchNormCase c{"large", {64, 32, 32, 64}, 4};  // its quarters are small
  const test::Guarded guarded;
  const Inputs in = inputs(c, DType::f32);
  const BatchNormResult all = batch_norm(in.x, in.gamma, in.beta, eps, 4);
  const BatchNormGrads grads = batch_norm_grad(in.dy, in.x, in.gamma, all.mean, all.invstd, 4);
  for (std::int64_t g = 0; g < 4; ++g) {
    const Tensor x = in.x.slice(g * 16, g * 16 + 16), dy = in.dy.slice(g * 16, g * 16 + 16);
    const BatchNormResult one = batch_norm(x, in.gamma, in.beta, eps);
    CHECK(same_bits(all.y.slice(g * 16, g * 16 + 16), one.y));
    CHECK(same_bits(grads.dx.slice(g * 16, g * 16 + 16),
                    batch_norm_grad(dy, x, in.gamma, one.mean, one.invstd).dx));
  }
}

TEST_CASE("batch_norm: the number of threads does not change a bit, nor does a second run") {
  const ContextScope scope;
  for_all([](const BatchNormCase& c, DType dtype, Engine engine) {
    const Inputs in = inputs(c, dtype);
    const auto forward = [&] {
      return batch_norm_lrelu(in.x, in.gamma, in.beta, eps, 0.2, c.stat_groups, engine);
    };
    set_num_threads(1);
    const BatchNormResult one = forward();
    const auto backward = [&] {
      return batch_norm_lrelu_grad(in.dy, in.x, in.gamma, in.beta, one.mean, one.invstd, 0.2,
                                   c.stat_groups, engine);
    };
    const BatchNormGrads one_grads = backward();
    for (const int threads : {1, 2, 3}) {
      set_num_threads(threads);
      CHECK(same(forward(), one));
      CHECK(same(backward(), one_grads));
    }
  });
}

TEST_CASE("batch_norm_lrelu: the bits of the composite") {
  for_all([](const BatchNormCase& c, DType dtype, Engine engine) {
    if (dtype == DType::bf16) return;  // rounds once where the composite rounds twice
    const Inputs in = inputs(c, dtype);
    const BatchNormResult plain = batch_norm(in.x, in.gamma, in.beta, eps, c.stat_groups, engine);
    for (const double slope : {0.2, 0.0}) {
      const BatchNormResult fused =
          batch_norm_lrelu(in.x, in.gamma, in.beta, eps, slope, c.stat_groups, engine);
      Tensor y = Tensor::empty_like(plain.y), dz = Tensor::empty_like(in.dy);
      dispatch<float, double>(dtype, "test", [&]<class T> {
        for (std::int64_t i = 0; i < y.numel(); ++i) {
          const T z = plain.y.data<T>()[i], d = in.dy.data<T>()[i];
          y.mutable_data<T>()[i] = z > 0 ? z : static_cast<T>(slope) * z;
          dz.mutable_data<T>()[i] = z > 0 ? d : static_cast<T>(slope) * d;
        }
      });
      CHECK(same(fused, {y, plain.mean, plain.invstd, plain.var}));
      CHECK(same(
          batch_norm_lrelu_grad(in.dy, in.x, in.gamma, in.beta, plain.mean, plain.invstd, slope,
                                c.stat_groups, engine),
          batch_norm_grad(dz, in.x, in.gamma, plain.mean, plain.invstd, c.stat_groups, engine)));
    }
  });
}

TEST_CASE("batch_norm: NaN and infinity reach every output they touch, and only those") {
  for (const Engine engine : {Engine::reference, Engine::direct}) {
    Tensor x = test::normals({2, 3, 3, 4}, DType::f32, 1);
    x.mutable_data<float>()[6] = std::numeric_limits<float>::quiet_NaN();  // channel 2
    x.mutable_data<float>()[7] = std::numeric_limits<float>::infinity();   // channel 3
    const Tensor gamma = Tensor::full({4}, 1.0), beta = Tensor::zeros({4});
    const BatchNormResult got = batch_norm_lrelu(x, gamma, beta, eps, 0.2, 1, engine);
    for (std::int64_t i = 0; i < x.numel(); ++i)
      CHECK(std::isfinite(got.y.data<float>()[i]) == (i % 4 < 2));
  }
}

TEST_CASE("batch_norm_inference: the affine map of the running statistics") {
  const test::Guarded guarded;
  for_all([](const BatchNormCase& c, DType dtype, Engine engine) {
    const Inputs in = inputs(c, dtype);
    const DType acc = acc_dtype(dtype);
    const Tensor mean = test::normals({c.channels()}, acc, 5);
    RandomStream stream(6);
    const Tensor var = test::filled({c.channels()}, acc, [&] { return 0.5f + stream.uniform(); });
    Tensor want = test::to_f64(in.x);
    double* p = want.mutable_data<double>();
    const Tensor m = test::to_f64(mean), v = test::to_f64(var), gamma = test::to_f64(in.gamma),
                 beta = test::to_f64(in.beta);
    for (std::int64_t i = 0; i < want.numel(); ++i) {
      const std::int64_t ch = i % c.channels();
      const double z = (p[i] - m.data<double>()[ch]) / std::sqrt(v.data<double>()[ch] + eps) *
                           gamma.data<double>()[ch] +
                       beta.data<double>()[ch];
      p[i] = z > 0 ? z : 0.3 * z;
    }
    const Tensor got = batch_norm_inference(in.x, in.gamma, in.beta, mean, var, eps, 0.3, engine);
    CHECK(got.dtype() == dtype);
    CHECK(test::largest_error(got, want) <=
          sum_tolerance(dtype, dtype, 1,
                        test::largest(want) + 2 * test::largest(in.gamma) * test::largest(mean)));
  });
}

TEST_CASE("update_running: once per group, in order, in place") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Tensor mean = Tensor::zeros({2}, dtype), var = Tensor::full({2}, 1.0, dtype);
    const Tensor shared = mean;
    Tensor means = Tensor::empty({2, 2}, dtype), vars = Tensor::empty({2, 2}, dtype);
    dispatch<float, double>(dtype, "test", [&]<class A> {
      const A m[] = {4, 8, 16, -8}, v[] = {3, 6, 9, 12};
      std::copy(m, m + 4, means.mutable_data<A>());
      std::copy(v, v + 4, vars.mutable_data<A>());
    });
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
  }
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
        "[batch_norm] engine direct cannot do x (4, 8) in f64: direct takes f32; use auto or "
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
