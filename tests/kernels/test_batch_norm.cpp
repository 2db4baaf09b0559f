#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/batch_norm/cases.h"
#include "tensor/context.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/orders.h"

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
  Expected out{Tensor::empty_like(x), Tensor::empty(stats, DType::f64, x.device()),
               Tensor::empty(stats, DType::f64, x.device()),
               Tensor::empty(stats, DType::f64, x.device())};
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
  BatchNormGrads out{Tensor::empty_like(x), Tensor::full({C}, 0, DType::f64, x.device()),
                     Tensor::full({C}, 0, DType::f64, x.device())};
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

std::vector<Engine> engines_for(Device device, DType dtype) {
  if (device.is_cuda()) return {Engine::tiled};
  if (dtype == DType::f64) return {Engine::reference};
  return {Engine::reference, Engine::direct};
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

// Runs f(device, engine) for every engine that takes `dtype`, new tensors going to the device.
template <class F>
void for_engines(DType dtype, F&& f) {
  test::for_each_device([&](Device device) {
    for (const Engine engine : engines_for(device, dtype)) {
      CAPTURE(std::string(name_of(dtype)));
      CAPTURE(std::string(name_of(engine)));
      f(device, engine);
    }
  });
}

// The emulator takes a second for what a GPU does in no time. What is skipped for it is large and
// differs from a smaller case in nothing but the number of blocks.
bool too_long(Device device, const BatchNormCase& c, DType dtype) {
  return IMAGO_EMULATED && device.is_cuda() && c.x.numel() > (dtype == DType::f64 ? 5000 : 50000);
}

// Runs f(case, dtype, device, engine) for all of them.
template <class F>
void for_all(F&& f) {
  for (const BatchNormCase& c : batch_norm_cases()) {
    CAPTURE(c.name);
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
      for_engines(dtype, [&](Device device, Engine engine) { f(c, dtype, device, engine); });
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
  for_all([](const BatchNormCase& c, DType dtype, Device device, Engine engine) {
    if (dtype == DType::f64 && too_long(device, c, dtype)) return;
    const Inputs in = inputs(c, dtype);
    // What the other slopes give follows from this one by the test of the composite.
    const std::vector<double> slopes =
        device.is_cuda() ? std::vector{0.2} : std::vector{1.0, 0.2, 0.0};
    for (const double slope : slopes) {
      CAPTURE(slope);
      check_forward(c, in, slope, engine);
      check_backward(c, in, slope, engine);
    }
  });
}

TEST_CASE("batch_norm on CUDA: a tile as wide as a block") {
  // One of single elements, which is for bf16 rows of an odd length and many of them.
  const BatchNormCase c{"tall, wide and odd", {520, 511}};
  const test::Guarded guarded;
  for_engines(DType::bf16, [&](Device device, Engine engine) {
    if (!device.is_cuda()) return;
    check_forward(c, inputs(c, DType::bf16), 0.2, engine);
  });
}

TEST_CASE("batch_norm: a mean of 10^4 spreads does not spoil the variance") {
  const BatchNormCase c{"large mean", {4, 33, 31, 13}};
  for_engines(DType::f32, [&](Device, Engine engine) {
    const Inputs in = inputs(c, DType::f32, 1e4);
    check_forward(c, in, 0.2, engine);
    check_backward(c, in, 0.2, engine);
    const BatchNormResult got = batch_norm(in.x, in.gamma, in.beta, eps, 1, engine);
    const Expected want = expected_forward(c, in, 1.0);
    // No worse than at mean 0: sums of raw squares would be wrong in every digit here.
    CHECK(test::largest_error(got.var, want.var) <=
          c.tolerance(DType::f32, DType::f32, test::largest(want.var)));
    CHECK(test::largest_error(got.mean, want.mean) <=
          0.5 * epsilon(DType::f32) * test::largest(want.mean));
  });
}

TEST_CASE("batch_norm: a constant channel has variance 0 and y = beta") {
  for_engines(DType::f32, [](Device, Engine engine) {
    const Tensor x = Tensor::full({3, 5, 5, 6}, 0.1), gamma = Tensor::full({6}, 2.0),
                 beta = Tensor::full({6}, 0.5);
    const BatchNormResult got = batch_norm(x, gamma, beta, eps, 1, engine);
    CHECK(test::largest(got.var) == 0.0);
    CHECK(test::largest_error(got.y, Tensor::full({3, 5, 5, 6}, 0.5)) == 0.0);
  });
}

TEST_CASE("batch_norm_lrelu: at the kink the slope is that of the negative side") {
  for_engines(DType::f32, [](Device, Engine engine) {
    const Tensor x = Tensor::full({4, 3, 6}, 0.5), ones = Tensor::full({6}, 1.0),
                 zeros = Tensor::zeros({6}), dy = Tensor::full({4, 3, 6}, 1.0);
    const BatchNormResult y = batch_norm_lrelu(x, ones, zeros, eps, 0.25, 1, engine);
    const BatchNormGrads grads =
        batch_norm_lrelu_grad(dy, x, ones, zeros, y.mean, y.invstd, 0.25, 1, engine);
    CHECK(test::largest(y.y) == 0.0);
    CHECK(test::largest_error(grads.dbeta, Tensor::full({6}, 12 * 0.25)) == 0.0);
  });
}

TEST_CASE("batch_norm: stat_groups equal separate calls, bit for bit") {
  for_all([](const BatchNormCase& c, DType dtype, Device, Engine engine) {
    if (c.stat_groups == 1) return;
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

TEST_CASE("batch_norm: neither threads, nor their order, nor a second run change a bit") {
  const test::Guarded guarded;
  for_all([](const BatchNormCase& c, DType dtype, Device device, Engine engine) {
    if (too_long(device, c, dtype)) return;
    const Inputs in = inputs(c, dtype);
    const auto forward = [&] {
      return batch_norm_lrelu(in.x, in.gamma, in.beta, eps, 0.2, c.stat_groups, engine);
    };
    set_num_threads(1);
    const BatchNormResult one = forward();
    const auto backward = [&](const Tensor& dy, const Tensor& x) {
      return batch_norm_lrelu_grad(dy, x, in.gamma, in.beta, one.mean, one.invstd, 0.2,
                                   c.stat_groups, engine);
    };
    const BatchNormGrads one_grads = backward(in.dy, in.x);
    const auto check = [&] {
      CHECK(same(forward(), one));
      CHECK(same(backward(in.dy, in.x), one_grads));
    };
    if (device.is_cuda()) {
      test::for_each_order(device, check);
      return;
    }
    for (const int threads : {1, 2, 3}) {
      set_num_threads(threads);
      check();
    }
  });
}

TEST_CASE("batch_norm on CUDA: tensors that start off a 16-byte boundary give the same bits") {
  const test::Guarded guarded;
  for_all([](const BatchNormCase& c, DType dtype, Device device, Engine engine) {
    if (!device.is_cuda() || too_long(device, c, dtype)) return;
    const Inputs in = inputs(c, dtype);
    const Tensor x = test::off_boundary(in.x), dy = test::off_boundary(in.dy);
    const BatchNormResult one =
        batch_norm_lrelu(in.x, in.gamma, in.beta, eps, 0.2, c.stat_groups, engine);
    CHECK(same(batch_norm_lrelu(x, in.gamma, in.beta, eps, 0.2, c.stat_groups, engine), one));
    const auto backward = [&](const Tensor& at_dy, const Tensor& at_x) {
      return batch_norm_lrelu_grad(at_dy, at_x, in.gamma, in.beta, one.mean, one.invstd, 0.2,
                                   c.stat_groups, engine);
    };
    const BatchNormGrads grads = backward(in.dy, in.x);
    CHECK(same(backward(dy, x), grads));
    CHECK(same(backward(in.dy, x), grads));
  });
}

TEST_CASE("batch_norm_lrelu: the bits of the composite") {
  for_all([](const BatchNormCase& c, DType dtype, Device device, Engine engine) {
    if (dtype == DType::bf16) return;  // rounds once where the composite rounds twice
    if (too_long(device, c, dtype)) return;
    const Inputs in = inputs(c, dtype);
    const BatchNormResult plain = batch_norm(in.x, in.gamma, in.beta, eps, c.stat_groups, engine);
    for (const double slope : {0.2, 0.0}) {
      const BatchNormResult fused =
          batch_norm_lrelu(in.x, in.gamma, in.beta, eps, slope, c.stat_groups, engine);
      Tensor y = plain.y.to(Device::cpu()).clone(), dz = in.dy.to(Device::cpu()).clone();
      dispatch<float, double>(dtype, "test", [&]<class T> {
        for (std::int64_t i = 0; i < y.numel(); ++i) {
          const T z = y.data<T>()[i], d = dz.data<T>()[i];
          y.mutable_data<T>()[i] = z > 0 ? z : static_cast<T>(slope) * z;
          dz.mutable_data<T>()[i] = z > 0 ? d : static_cast<T>(slope) * d;
        }
      });
      dz = dz.to(in.dy.device());
      CHECK(same(fused, {y, plain.mean, plain.invstd, plain.var}));
      CHECK(same(
          batch_norm_lrelu_grad(in.dy, in.x, in.gamma, in.beta, plain.mean, plain.invstd, slope,
                                c.stat_groups, engine),
          batch_norm_grad(dz, in.x, in.gamma, plain.mean, plain.invstd, c.stat_groups, engine)));
    }
  });
}

TEST_CASE("batch_norm: NaN and infinity reach every output they touch, and only those") {
  for_engines(DType::f32, [](Device device, Engine engine) {
    Tensor x = test::normals({2, 3, 3, 4}, DType::f32, 1).to(Device::cpu());
    x.mutable_data<float>()[6] = std::numeric_limits<float>::quiet_NaN();  // channel 2
    x.mutable_data<float>()[7] = std::numeric_limits<float>::infinity();   // channel 3
    const Tensor gamma = Tensor::full({4}, 1.0), beta = Tensor::zeros({4});
    const Tensor y =
        batch_norm_lrelu(x.to(device), gamma, beta, eps, 0.2, 1, engine).y.to(Device::cpu());
    for (std::int64_t i = 0; i < y.numel(); ++i)
      CHECK(std::isfinite(y.data<float>()[i]) == (i % 4 < 2));
  });
}

TEST_CASE("batch_norm_inference: the affine map of the running statistics") {
  const test::Guarded guarded;
  for_all([](const BatchNormCase& c, DType dtype, Device, Engine engine) {
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
