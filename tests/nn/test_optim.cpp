#include "nn/optim.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>

#include "autograd/ops/add.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/sum_to.h"
#include "nn/clip_grad.h"
#include "nn/linear.h"
#include "nn/safetensors.h"
#include "nn/schedule.h"
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

namespace {

// One optimiser of every kind, with two groups of one parameter each.
std::vector<std::unique_ptr<optim::Optimizer>> every_optimizer(const Var& p, const Var& q) {
  std::vector<std::unique_ptr<optim::Optimizer>> all;
  const auto add = [&](auto optimizer, const auto& options) {
    optimizer->add_group({q}, options);
    all.push_back(std::move(optimizer));
  };
  using optim::RmspropOptions, optim::SgdOptions;
  const Vars first{p};
  add(std::make_unique<optim::SGD>(first, SgdOptions{.lr = 0.01}), SgdOptions{.lr = 0.02});
  add(std::make_unique<optim::SGD>(first, SgdOptions{.lr = 0.01, .momentum = 0.9}),
      SgdOptions{.lr = 0.02});
  add(std::make_unique<optim::SGD>(first, SgdOptions{.momentum = 0.9, .dampening = 0.5}),
      SgdOptions{.momentum = 0.5, .nesterov = true});
  add(std::make_unique<optim::Adam>(first, optim::AdamOptions{.beta1 = 0.5}),
      optim::AdamOptions{.lr = 0.1});
  add(std::make_unique<optim::AdamW>(first, optim::AdamWOptions{.lr = 0.01}),
      optim::AdamWOptions{.weight_decay = 0.5});
  add(std::make_unique<optim::RMSprop>(first, RmspropOptions{.momentum = 0.5, .centered = true}),
      RmspropOptions{.lr = 0.003});
  return all;
}

}  // namespace

TEST_CASE("optimisers: interrupted under a schedule and resumed, the bits of a whole run") {
  const TemporaryFolder folder;
  const optim::Schedule schedule = optim::warmup({.steps = 3}, optim::cosine({.steps = 8}));
  const auto train = [&](optim::Optimizer& o, Var& p, Var& q, std::int64_t from, std::int64_t to) {
    for (std::int64_t t = from; t < to; ++t) {
      const auto seed = static_cast<std::uint64_t>(t);
      set_gradient(p, normals({5, 3}, DType::f32, 10 + seed));
      // The second rests every third step.
      q.zero_grad();
      if (t % 3) set_gradient(q, normals({4}, DType::f32, 50 + seed));
      o.set_lr_factor(schedule(t));
      o.step();
    }
  };
  const std::size_t kinds = 6;
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    CAPTURE(kind);
    Var p = parameter(normals({5, 3}, DType::f32, 1)), q = parameter(normals({4}, DType::f32, 2));
    auto all = every_optimizer(p, q);
    REQUIRE(all.size() == kinds);
    optim::Optimizer& whole = *all[kind];
    train(whole, p, q, 0, 4);
    const Tensor middle = p.tensor().clone();
    save(folder / "a",
         {{"opt", whole.state_dict()}, {"w", {{"p", p.tensor()}, {"q", q.tensor()}}}});
    train(whole, p, q, 4, 9);
    CHECK(!same_bits(p.tensor(), middle));

    const SafetensorsFile file = load_safetensors(folder / "a");
    const Device device = p.device();
    Var p2 = parameter(file.tensor("w.p").to(device).clone());
    Var q2 = parameter(file.tensor("w.q").to(device).clone());
    auto others = every_optimizer(p2, q2);
    others[kind]->load_state_dict(file.group("opt"));
    train(*others[kind], p2, q2, 4, 9);
    CHECK(same_bits(p.tensor(), p2.tensor()));
    CHECK(same_bits(q.tensor(), q2.tensor()));
    const NamedTensors state = others[kind]->state_dict();
    for (const auto& [name, tensor] : whole.state_dict()) {
      CAPTURE(name);
      CHECK(same_bits(tensor, state.at(name)));
    }
  }
}

TEST_CASE("optimisers: what is kept, by name, for each group what it needs") {
  Var p = parameter(Tensor::zeros({2})), q = parameter(Tensor::zeros({3}));
  const auto all = every_optimizer(p, q);
  const auto names = [](const optim::Optimizer& o) {
    std::string list;
    for (const auto& [name, tensor] : o.state_dict()) list += name + " ";
    return list;
  };
  CHECK(names(*all[0]) == "steps ");
  CHECK(names(*all[1]) == "momentum.0 steps ");
  CHECK(names(*all[2]) == "momentum.0 momentum.1 steps ");
  CHECK(names(*all[3]) == "m.0 m.1 steps v.0 v.1 ");
  CHECK(names(*all[4]) == "m.0 m.1 steps v.0 v.1 ");
  CHECK(names(*all[5]) == "mean.0 momentum.0 square.0 square.1 steps ");
  CHECK(contains(error_of([&] { all[1]->load_state_dict(all[2]->state_dict()); }),
                 "[SGD::load_state_dict]"));
  CHECK(contains(error_of([&] { all[1]->load_state_dict(all[2]->state_dict()); }),
                 "unexpected: momentum.1"));
}

TEST_CASE("optimisers: each group has its learning rate") {
  Var p = parameter(Tensor::zeros({1}, DType::f64)), q = parameter(Tensor::zeros({1}, DType::f64));
  optim::SGD sgd({p}, {.lr = 1});
  sgd.add_group({q}, {.lr = 10});
  CHECK(sgd.groups() == 2);
  CHECK(sgd.parameters().size() == 2);
  const Tensor one = Tensor::full({1}, 1.0, DType::f64);
  double at_p = 0, at_q = 0;
  const auto step = [&](double by_p, double by_q) {
    set_gradient(p, one);
    set_gradient(q, one);
    sgd.step();
    at_p -= by_p, at_q -= by_q;
    CHECK(p.item() == at_p);
    CHECK(q.item() == at_q);
  };
  step(1, 10);
  sgd.set_lr_factor(0.5);
  CHECK(sgd.lr() == 0.5);
  CHECK(sgd.lr(1) == 5);
  step(0.5, 5);
  sgd.set_lr(1, 4);
  step(0.5, 2);
  sgd.set_lr(8);
  step(4, 4);
  CHECK(sgd.options(1).lr == 10);
  CHECK_THROWS_AS(sgd.set_lr(2, 1), Error);
  CHECK_THROWS_AS(sgd.lr(2), Error);
  CHECK_THROWS_AS(sgd.set_lr_factor(-1), Error);
  CHECK_THROWS_AS(sgd.set_lr_factor(std::nan("")), Error);
  // A group that is refused leaves everything as it was.
  CHECK(contains(error_of([&] { sgd.add_group({q}, {}); }), "parameters 1 and 2 share memory"));
  CHECK(contains(error_of([&] { sgd.add_group({parameter(Tensor::zeros({1}))}, {}); }),
                 "parameter 2 is f32 but parameter 0 is f64"));
  CHECK(sgd.groups() == 2);
  CHECK(sgd.state_dict().at("steps").numel() == 2);
  step(4, 4);
}

TEST_CASE("optimisers: a step in two halves, and values that keep their address") {
  Var p = parameter(normals({7}, DType::f32, 1)), q = parameter(p.tensor().clone());
  optim::Adam whole({p}), halves({q});
  for (std::uint64_t t = 0; t < 3; ++t) {
    set_gradient(p, normals({7}, DType::f32, 10 + t));
    set_gradient(q, normals({7}, DType::f32, 10 + t));
    whole.step();
    halves.begin_step();
    CHECK(!same_bits(p.tensor(), q.tensor()));
    halves.apply();
    CHECK(same_bits(p.tensor(), q.tensor()));
  }
  halves.begin_step();
  halves.zero_grad();
  CHECK(contains(error_of([&] { halves.apply(); }), "lost its gradient"));
}

TEST_CASE("SGD, AdamW, RMSprop: what they refuse") {
  Var p = parameter(Tensor::zeros({2}));
  const double nan = std::nan("");
  const auto sgd = [&](const optim::SgdOptions& o) {
    return error_of([&] { optim::SGD({p}, o); });
  };
  CHECK(contains(sgd({.lr = -1}), "[SGD] lr must not be negative"));
  CHECK(contains(sgd({.momentum = 1}), "momentum must be in [0, 1)"));
  CHECK(contains(sgd({.momentum = nan}), "momentum must be in [0, 1)"));
  CHECK(contains(sgd({.momentum = 0.5, .dampening = 2}), "dampening"));
  CHECK(contains(sgd({.nesterov = true}), "nesterov needs a momentum"));
  CHECK(contains(sgd({.momentum = 0.5, .dampening = 0.1, .nesterov = true}), "no dampening"));
  CHECK(contains(sgd({.weight_decay = nan}), "weight_decay"));
  CHECK(contains(error_of([&] { optim::AdamW({p}, {.beta1 = 1}); }), "[AdamW] beta1"));
  CHECK(contains(error_of([&] { optim::AdamW({p}, {.weight_decay = -1}); }), "[AdamW] eps"));
  const auto rmsprop = [&](const optim::RmspropOptions& o) {
    return error_of([&] { optim::RMSprop({p}, o); });
  };
  CHECK(contains(rmsprop({.alpha = 1}), "[RMSprop] alpha"));
  CHECK(contains(rmsprop({.eps = nan}), "eps"));
  CHECK(contains(rmsprop({.momentum = -0.1}), "momentum"));
}

TEST_CASE("clipping of gradients: what it passes over and what it refuses") {
  Var p = parameter(Tensor::zeros({2})), idle = parameter(Tensor::zeros({3}));
  CHECK(optim::clip_grad_norm({p, idle}, 1.0).item() == 0);
  optim::clip_grad_value({p, idle}, 1.0);
  set_gradient(p, Tensor::from<float>({3, -4}, {2}));
  const Tensor gradient = p.grad().tensor();
  CHECK(optim::clip_grad_norm({p, idle}, 1.0).item() == 5);
  CHECK(largest_error(p.grad().tensor(), Tensor::from<double>({0.6, -0.8}, {2})) <= 1e-6);
  optim::clip_grad_value({p, idle}, 0.7);
  CHECK(p.grad().tensor().shares_storage(gradient));
  CHECK(largest_error(p.grad().tensor(), Tensor::from<double>({0.6, -0.7}, {2})) <= 1e-6);
  // By slots.
  optim::clip_grad_value({p, idle}, Tensor::full({1}, 0.65));
  CHECK(largest_error(p.grad().tensor(), Tensor::from<double>({0.6, -0.65}, {2})) <= 1e-6);
  optim::clip_grad_norm({p, idle}, Tensor::full({1}, 0.5));
  const double factor = 0.5 / (std::sqrt(0.6 * 0.6 + 0.65 * 0.65) + 1e-6);
  CHECK(largest_error(p.grad().tensor(),
                      Tensor::from<double>({0.6 * factor, -0.65 * factor}, {2})) <= 1e-6);
  CHECK(!idle.grad().defined());

  // Two gradients of one value, recorded: each is scaled once.
  const Var a = parameter(Tensor::zeros({2})), b = parameter(Tensor::zeros({2}));
  ops::sum(ops::add(a, b)).backward({}, {.create_graph = true});
  CHECK(optim::clip_grad_norm({a, b}, 1.0).item() == 2);
  for (const Var& x : {a, b}) {
    CHECK(largest_error(x.grad().tensor(), Tensor::full({2}, 0.5)) <= 1e-6);
  }
  CHECK_THROWS_AS(optim::clip_grad_norm({p}, 0), Error);
  CHECK_THROWS_AS(optim::clip_grad_value({p}, -1), Error);
  CHECK_THROWS_AS(optim::clip_grad_value({p}, std::nan("")), Error);
}
