#include "nn/optim.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops/mul.h"
#include "autograd/ops/sum_to.h"
#include "nn/linear.h"
#include "nn/safetensors.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::test;

namespace {

// Gives `p` the gradient g.
void set_gradient(Var& p, const Tensor& g) {
  p.zero_grad();
  ops::sum(ops::mul(p, Var(g))).backward();
}

// Kingma & Ba 2015, algorithm 1, in f64.
struct Formula {
  double lr, beta1, beta2, eps, p, m = 0, v = 0;
  int t = 0;

  void step(double g) {
    t += 1;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const double m_hat = m / (1 - std::pow(beta1, t)), v_hat = v / (1 - std::pow(beta2, t));
    p -= lr * m_hat / (std::sqrt(v_hat) + eps);
  }
};

}  // namespace

TEST_CASE("Adam: f64 steps follow the formula of the paper, with a change of rate") {
  Var p = parameter(normals({50}, DType::f64, 1));
  std::vector<Formula> expected;
  const Tensor start = to_f64(p.tensor());
  for (int i = 0; i < 50; ++i) {
    expected.push_back(
        {.lr = 0.01, .beta1 = 0.5, .beta2 = 0.99, .eps = 1e-7, .p = start.data<double>()[i]});
  }
  optim::Adam adam({p}, {.lr = 0.01, .beta1 = 0.5, .beta2 = 0.99, .eps = 1e-7});
  const Tensor before = p.tensor();
  for (int t = 0; t < 20; ++t) {
    if (t == 10) {
      adam.set_lr(0.002);
      for (Formula& f : expected) f.lr = 0.002;
    }
    const Tensor g = normals({50}, DType::f64, 100 + static_cast<std::uint64_t>(t));
    set_gradient(p, g);
    adam.step();
    const Tensor gradient = to_f64(g), now = to_f64(p.tensor());
    for (std::size_t i = 0; i < 50; ++i) {
      expected[i].step(gradient.data<double>()[i]);
      const double error = std::abs(now.data<double>()[i] - expected[i].p);
      REQUIRE(error <= 1e-13);
    }
  }
  CHECK(p.tensor().shares_storage(before));
  adam.zero_grad();
  CHECK(!p.grad().defined());
}

TEST_CASE("Adam: f32 stays near f64") {
  Tensor start = normals({200}, DType::f32, 1);
  Var p = parameter(start.clone()), q = parameter(to_f64(start));
  optim::Adam a({p}, {.lr = 0.01}), b({q}, {.lr = 0.01});
  for (std::uint64_t t = 0; t < 20; ++t) {
    const Tensor g = normals({200}, DType::f32, 100 + t);
    set_gradient(p, g);
    set_gradient(q, to_f64(g));
    a.step();
    b.step();
  }
  CHECK(largest_error(p.tensor(), q.tensor()) <= 2e-6);
}

TEST_CASE("Adam: parameters without a gradient and frozen ones are left alone") {
  const Tensor start = normals({3}, DType::f64, 1), g = normals({3}, DType::f64, 2);
  Var p = parameter(start.clone()), idle = parameter(start.clone()),
      frozen = parameter(start.clone());
  optim::Adam adam({p, idle, frozen}, {.lr = 0.1});
  for (int t = 0; t < 3; ++t) {
    set_gradient(p, g);
    set_gradient(frozen, g);
    frozen.set_requires_grad(false);
    adam.step();
    frozen.set_requires_grad(true);
  }
  CHECK(!same_bits(p.tensor(), start));
  CHECK(same_bits(idle.tensor(), start));
  CHECK(same_bits(frozen.tensor(), start));
  const NamedTensors state = adam.state_dict();
  CHECK(same_bits(state.at("steps"), Tensor::from<std::int64_t>({3, 0, 0}, {3})));
  CHECK(same_bits(state.at("m.1"), Tensor::zeros({3}, DType::f64)));
  // Their own count starts with their first gradient: the first step moves by lr whatever g is.
  set_gradient(idle, g);
  adam.step();
  for (int i = 0; i < 3; ++i) {
    const double move = to_f64(idle.tensor()).data<double>()[i] - to_f64(start).data<double>()[i];
    CHECK(std::abs(std::abs(move) - 0.1) <= 1e-7);
  }
}

TEST_CASE("Adam: interrupted, saved and resumed gives the bits of an uninterrupted run") {
  const TemporaryFolder folder;
  const Tensor start = normals({5, 3}, DType::f32, 1), start_b = normals({4}, DType::f32, 2);
  Var p = parameter(start.clone()), b = parameter(start_b.clone());
  optim::Adam adam({p, b}, {.lr = 0.01});
  const auto train = [&](optim::Adam& a, Var& x, Var& y, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t t = from; t < to; ++t) {
      set_gradient(x, normals({5, 3}, DType::f32, 10 + t));
      set_gradient(y, normals({4}, DType::f32, 50 + t));
      a.step();
    }
  };
  train(adam, p, b, 0, 4);
  save(folder / "a", {{"opt", adam.state_dict()}, {"w", {{"p", p.tensor()}, {"b", b.tensor()}}}});
  train(adam, p, b, 4, 9);

  const SafetensorsFile file = load_safetensors(folder / "a");
  const Device device = start.device();
  Var p2 = parameter(file.tensor("w.p").to(device).clone());
  Var b2 = parameter(file.tensor("w.b").to(device).clone());
  optim::Adam resumed({p2, b2}, {.lr = 0.01});
  resumed.load_state_dict(file.group("opt"));
  train(resumed, p2, b2, 4, 9);
  CHECK(same_bits(p.tensor(), p2.tensor()));
  CHECK(same_bits(b.tensor(), b2.tensor()));
  for (const auto& [name, tensor] : adam.state_dict()) {
    CHECK(same_bits(tensor, resumed.state_dict().at(name)));
  }
  optim::Adam other({p}, {});
  CHECK(contains(error_of([&] { other.load_state_dict(file.group("opt")); }), "unexpected: m.1"));
}

TEST_CASE("Adam: what it refuses") {
  Var p = parameter(Tensor::zeros({2}));
  Var half = parameter(p.tensor().reshape({2, 1}));
  CHECK(contains(error_of([&] { optim::Adam({p, half}); }), "share memory"));
  CHECK(contains(error_of([&] { optim::Adam({p, p}); }), "share memory"));
  CHECK(contains(error_of([&] { optim::Adam({ops::sum(p)}); }), "not a leaf"));
  CHECK(contains(error_of([&] { optim::Adam({}); }), "no parameters"));
  CHECK(contains(error_of([&] { optim::Adam({parameter(Tensor::zeros({1}, DType::bf16))}); }),
                 "bf16"));
  CHECK_THROWS_AS(optim::Adam({p}, {.lr = -1}), Error);
  CHECK_THROWS_AS(optim::Adam({p}, {.lr = std::nan("")}), Error);
  CHECK_THROWS_AS(optim::Adam({p}, {.beta1 = 1}), Error);
  CHECK_THROWS_AS(optim::Adam({p}, {.beta2 = std::nan("")}), Error);
  CHECK_THROWS_AS(optim::Adam({p}, {.eps = std::nan("")}), Error);
  optim::Adam adam({p}, {.lr = 2e-4f, .beta1 = 0.5f});
  CHECK_THROWS_AS(adam.set_lr(-1), Error);
}
