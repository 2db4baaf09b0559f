// What training keeps beside the weights lives where they live, whatever the device of the Context,
// and a run on one device takes the steps of a run on another.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/engine.h"
#include "autograd/ops/scale.h"
#include "autograd/random.h"
#include "nn/ema.h"
#include "nn/gan_loss.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "nn/optim.h"
#include "nn/safetensors.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::test;

namespace {

// Gives `p` the gradient g.
void set_gradient(Var& p, const Tensor& g) {
  p.zero_grad();
  ops::scale(p, 1).backward(Var(g.to(p.device())));
}

struct Training {
  std::vector<Var> parameters;
  optim::Adam adam;

  explicit Training(Device device)
      : parameters{parameter(normals({5, 3}, DType::f32, 1).to(device)),
                   parameter(normals({7}, DType::f32, 2).to(device))},
        adam(parameters, {.lr = 0.01}) {}

  // The second parameter rests in even steps, so the two have counts of their own.
  void steps(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t t = from; t < to; ++t) {
      adam.zero_grad();
      set_gradient(parameters[0], normals({5, 3}, DType::f32, 10 + t));
      if (t % 2) set_gradient(parameters[1], normals({7}, DType::f32, 50 + t));
      adam.step();
    }
  }
};

}  // namespace

TEST_CASE("Adam: every device takes the same steps, and resumes what another one saved") {
  Training whole(Device::cpu());
  whole.steps(0, 6);
  for (const Device first : devices()) {
    for (const Device second : devices()) {
      CAPTURE(first);
      CAPTURE(second);
      const TemporaryFolder folder;
      Training a(first), b(second);
      a.steps(0, 3);
      for (const auto& [name, tensor] : a.adam.state_dict()) {
        CHECK(tensor.device() == (name == "steps" ? Device::cpu() : first));
      }
      NamedTensors state = a.adam.state_dict();
      state.emplace("p0", a.parameters[0].tensor());
      state.emplace("p1", a.parameters[1].tensor());
      save_safetensors(folder / "state.safetensors", state, {});
      NamedTensors loaded = load_safetensors(folder / "state.safetensors").tensors;
      for (const char* name : {"p0", "p1"}) {
        Tensor p = b.parameters[name[1] - '0'].tensor();
        p.copy_from(loaded.at(name));
        loaded.erase(name);
      }
      b.adam.load_state_dict(loaded);
      b.steps(3, 6);
      for (std::size_t i = 0; i < 2; ++i) {
        CHECK(b.parameters[i].device() == second);
        CHECK(same_bits(b.parameters[i].tensor(), whole.parameters[i].tensor()));
      }
    }
  }
}

TEST_CASE("Adam: parameters of two devices are refused") {
  if (devices().size() < 2) {
    MESSAGE("only the CPU is here: there is nothing to mix");
    return;
  }
  const Var here = parameter(Tensor::full({2}, 1, DType::f32, Device::cpu()));
  const Var there = parameter(Tensor::full({2}, 1, DType::f32, Device::cuda()));
  CHECK_THROWS_WITH_AS(optim::Adam({here, there}),
                       "[Adam] parameter 1 is on cuda:0 but parameter 0 is on cpu", Error);
}

TEST_CASE("Ema: the average lives and is updated where the networks are") {
  std::vector<Tensor> results;
  for (const Device device : devices()) {
    manual_seed(3);
    nn::Linear live({.in = 3, .out = 5}), average({.in = 3, .out = 5});
    live.to(device);
    average.to(device);
    nn::Ema ema(live, average, 0.9);
    for (int t = 1; t < 4; ++t) {
      nn::fill_normal(live.weight(), 0, 1);
      ema.update(t);
    }
    CHECK(average.weight().device() == device);
    results.push_back(average.weight().tensor());
    CHECK(same_bits(results.back(), results.front()));
    CHECK_FALSE(same_bits(results.back(), live.weight().tensor()));
  }
}

TEST_CASE("initial weights and random constants are the same bits on every device") {
  std::vector<Tensor> results;
  for_each_device([&](Device device) {
    manual_seed(7);
    nn::Conv2d layer({.in = 3, .out = 5, .kernel = 3});
    const Tensor initial = layer.weight().tensor();
    CHECK(initial.device() == device);
    nn::init_dcgan(layer);
    const Tensor dcgan = layer.weight().tensor().clone();
    nn::init_glorot_uniform(layer);
    Context::current().device = Device::cpu();  // the argument counts
    const Tensor z = randn({11}, device).tensor(), u = rand({11}, device, DType::bf16).tensor();
    CHECK(z.device() == device);
    CHECK(u.device() == device);
    for (const Tensor& t : {initial, dcgan, layer.weight().tensor(), z, u}) results.push_back(t);
  });
  for (std::size_t i = 5; i < results.size(); ++i) CHECK(same_bits(results[i], results[i % 5]));
}

TEST_CASE("losses make their targets where the logits are") {
  for (const Device device : devices()) {
    CAPTURE(device);
    Var logits = parameter(normals({9, 1}, DType::f32, 5).to(device));
    const Var loss = loss::gan_d(logits, logits);
    CHECK(loss.device() == device);
    loss.backward();
    CHECK(logits.grad().device() == device);
    // d (softplus(-x) + softplus(x)) / dx = 2 s(x) - 1.
    const Tensor x = to_f64(logits.tensor()), g = to_f64(logits.grad().tensor());
    for (int i = 0; i < 9; ++i) {
      const double s = 1 / (1 + std::exp(-x.data<double>()[i]));
      CHECK(std::abs(g.data<double>()[i] - (2 * s - 1) / 9) <= 1e-7);
    }
  }
}
