// Optimisers, schedules and spectral normalisation against PyTorch.
#include <doctest/doctest.h>

#include "autograd/engine.h"
#include "autograd/ops/add.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/sqrt.h"
#include "autograd/ops/sum_to.h"
#include "autograd/ops/tanh.h"
#include "golden_checks.h"
#include "nn/layers.h"
#include "nn/optim.h"

using namespace imago;
using namespace imago::test;

namespace {

const SafetensorsFile& goldens() {
  return golden_file("optimisers.safetensors");
}

Tensor golden(const std::string& name, DType dtype = DType::f64) {
  return kernels::cast(goldens().tensor(name), dtype).clone();
}

// Row i of a history.
Tensor row(const std::string& name, std::int64_t i, DType dtype = DType::f64) {
  const Tensor all = golden(name, dtype);
  return all.slice(i, i + 1).reshape({all.size(1)}).clone();
}

constexpr DType both[] = {DType::f64, DType::f32};

// In f64 both sides differ by the order of operations alone. In f32 inputs and ten steps of
// rounding count.
double bound(DType dtype) {
  return dtype == DType::f64 ? 2e-14 : 4e-6;
}

void set_gradient(Var& p, const Tensor& g) {
  p.zero_grad();
  ops::sum(ops::mul(p, Var(g))).backward();
}

}  // namespace

TEST_CASE("goldens: ten steps of every optimiser, and what it keeps") {
  for (const OptimizerGolden& g : all_optimizer_goldens()) {
    const std::string& name = g.name;
    CAPTURE(name);
    for (const DType dtype : both) {
      CAPTURE(dtype);
      Var p = parameter(golden("p0", dtype));
      const auto optimizer = g.make(p);
      std::size_t compared = 0;
      for (std::int64_t i = 0; i < 10; ++i) {
        CAPTURE(i);
        set_gradient(p, row("grads", i, dtype));
        optimizer->step();
        check_close(name, p.tensor(), row(name + ".p", i), bound(dtype));
        for (const auto& [key, tensor] : optimizer->state_dict()) {
          if (key == "steps") continue;
          const std::string stem = key.substr(0, key.find('.'));
          check_close(stem, tensor, row(name + "." + stem, i), bound(dtype));
          ++compared;
        }
      }
      // Everything that PyTorch keeps of a parameter was compared.
      CHECK(10 * (entries_under(goldens().tensors, name).size() - 1) == compared);
    }
  }
}

TEST_CASE("goldens: two groups of parameters under a schedule") {
  for (const DType dtype : both) {
    CAPTURE(dtype);
    Var p = parameter(golden("p0", dtype)), q = parameter(golden("p0", dtype));
    optim::AdamW optimizer({p}, {.lr = 0.01});
    optimizer.add_group({q}, {.lr = 0.03, .weight_decay = 0});
    const optim::Schedule schedule = optim::step_decay({.every = 4, .factor = 0.5});
    for (std::int64_t i = 0; i < 10; ++i) {
      optimizer.set_lr_factor(schedule(i));
      set_gradient(p, row("grads", i, dtype));
      set_gradient(q, kernels::scale(row("grads", i, dtype), 2));
      optimizer.step();
    }
    check_close("groups.p", p.tensor(), golden("groups.p"), bound(dtype));
    check_close("groups.q", q.tensor(), golden("groups.q"), bound(dtype));
  }
}

TEST_CASE("goldens: schedules") {
  for (const ScheduleGolden& g : all_schedule_goldens()) {
    CAPTURE(g.name);
    const Tensor want = golden_file(g.file).tensor("schedule." + g.name).to(Device::cpu());
    REQUIRE(want.numel() == 30);
    for (std::int64_t step = 0; step < 30; ++step) {
      CAPTURE(step);
      CHECK(std::abs(g.f(step) - want.data<double>()[step]) <= 1e-14);
    }
  }
}

namespace {

void check_spectral(const std::string& name, nn::Module&& layer) {
  for (const DType dtype : both) {
    CAPTURE(dtype);
    layer.to(dtype);
    layer.train();
    layer.zero_grad();
    layer.load_state_dict({{"weight_orig", golden(name + ".w", dtype)},
                           {"bias", golden(name + ".b", dtype)},
                           {"weight_u", golden(name + ".u0", dtype)},
                           {"weight_v", golden(name + ".v0", dtype)}});
    // Three forward passes, each of which writes u and v, then one backward through all of them.
    Var total;
    for (int i = 0; i < 3; ++i) {
      const std::string at = std::to_string(i), after = std::to_string(i + 1);
      const Var y = layer(Var(golden(name + ".x" + at, dtype)));
      check_close("y" + at, y.tensor(), golden(name + ".y" + at), bound(dtype));
      const NamedTensors state = layer.state_dict();
      check_close("u" + after, state.at("weight_u"), golden(name + ".u" + after), bound(dtype));
      check_close("v" + after, state.at("weight_v"), golden(name + ".v" + after), bound(dtype));
      const Var part = ops::sum(ops::mul(y, Var(golden(name + ".dy" + at, dtype))));
      total = total ? ops::add(total, part) : part;
    }
    total.backward();
    const Vars parameters = layer.parameters();
    check_close("dw", parameters.at(0).grad().tensor(), golden(name + ".dw"), bound(dtype));
    check_close("db", parameters.at(1).grad().tensor(), golden(name + ".db"), bound(dtype));

    layer.eval();
    layer.zero_grad();
    Var x = parameter(golden(name + ".x0", dtype));
    const Var y = layer(x);
    check_close("eval_y", y.tensor(), golden(name + ".eval_y"), bound(dtype));
    const Var gx = grad({ops::sum(ops::tanh(y))}, {x}, {}, {.create_graph = true})[0];
    const Var flat = ops::reshape(gx, {gx.size(0), -1});
    const Var norm = ops::sqrt(ops::sum_to(ops::mul(flat, flat), {gx.size(0), 1}));
    const Var off = ops::add_scalar(norm, -1);
    const Var penalty = ops::mean(ops::mul(off, off));
    penalty.backward();
    check_close("penalty", penalty.tensor(), golden(name + ".penalty"), bound(dtype));
    check_close("penalty_dw", parameters.at(0).grad().tensor(), golden(name + ".penalty_dw"),
                bound(dtype));
    check_close("penalty_dx", x.grad().tensor(), golden(name + ".penalty_dx"), bound(dtype));
  }
}

}  // namespace

TEST_CASE("goldens: spectral normalisation") {
  check_spectral("spectral_linear", nn::Linear({.in = 7, .out = 4, .spectral_norm = true}));
  check_spectral("spectral_conv2d", nn::Conv2d({.in = 3,
                                                .out = 4,
                                                .kernel = 3,
                                                .stride = 2,
                                                .padding = Padding::same(1),
                                                .spectral_norm = true}));
  check_spectral("spectral_conv_transpose2d", nn::ConvTranspose2d({.in = 4,
                                                                   .out = 3,
                                                                   .kernel = 4,
                                                                   .stride = 2,
                                                                   .padding = Padding::same(1),
                                                                   .spectral_norm = true}));
}
