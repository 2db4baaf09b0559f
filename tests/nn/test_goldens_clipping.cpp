// Clipped gradients and averages of weights against PyTorch.
#include <doctest/doctest.h>

#include "autograd/ops/mul.h"
#include "autograd/ops/sum_to.h"
#include "golden_checks.h"
#include "nn/ema.h"
#include "nn/layers.h"
#include "nn/optim.h"

using namespace imago;
using namespace imago::test;

namespace {

constexpr const char* blocks = "blocks.safetensors";

Tensor golden(const char* file, const std::string& name, DType dtype = DType::f64) {
  return kernels::cast(golden_file(file).tensor(name), dtype).clone();
}

// Row i of a history, without the axis of rows.
Tensor row(const std::string& name, std::int64_t i, DType dtype = DType::f64) {
  const Tensor all = golden(blocks, name, dtype);
  Shape shape;
  for (int a = 1; a < all.dim(); ++a) shape.append(all.size(a));
  return all.slice(i, i + 1).reshape(shape).clone();
}

// In f32 inputs and ten steps of rounding count.
double bound(DType dtype) {
  return dtype == DType::f64 ? 2e-14 : 4e-6;
}

void set_gradient(Var& p, const Tensor& g) {
  p.zero_grad();
  ops::sum(ops::mul(p, Var(g))).backward();
}

}  // namespace

TEST_CASE("goldens: clipping of gradients") {
  const char* file = "optimisers.safetensors";
  for (const ClipGolden& g : all_clip_goldens()) {
    for (const DType dtype : golden_dtypes) {
      CAPTURE(g.function);
      CAPTURE(dtype);
      Var a = parameter(Tensor::zeros({3, 4}, dtype)), b = parameter(Tensor::zeros({5}, dtype));
      const auto set = [&] {
        set_gradient(a, golden(file, "clip.a", dtype));
        set_gradient(b, golden(file, "clip.b", dtype));
      };
      if (!g.by_norm) {
        set();
        g.clip({a, b}, 0.5);
        check_close("clip.value_a", a.grad().tensor(), golden(file, "clip.value_a"), bound(dtype));
        continue;
      }
      for (const auto& [key, limit] : {std::pair("clip", 1.5), std::pair("clip_loose", 50.0)}) {
        const std::string name = key;
        set();
        const Tensor norm = g.clip({a, b}, limit);
        check_close(name, norm, golden(file, name + ".norm"), bound(dtype));
        check_close(name, a.grad().tensor(), golden(file, name + ".norm_a"), bound(dtype));
        check_close(name, b.grad().tensor(), golden(file, name + ".norm_b"), bound(dtype));
      }
    }
  }
}

TEST_CASE("goldens: ten steps with clipped gradients") {
  for (const ClipGolden& g : all_clip_goldens()) {
    const std::string kind = g.by_norm ? "clipped.norm_" : "clipped.value_";
    for (const DType dtype : golden_dtypes) {
      CAPTURE(g.function);
      CAPTURE(dtype);
      Var p = parameter(golden(blocks, "clipped.p0", dtype));
      Var q = parameter(golden(blocks, "clipped.q0", dtype));
      optim::SGD optimizer({p, q}, {.lr = 0.1, .momentum = 0.9});
      for (std::int64_t i = 0; i < 10; ++i) {
        CAPTURE(i);
        set_gradient(p, row("clipped.grads_p", i, dtype));
        set_gradient(q, row("clipped.grads_q", i, dtype));
        const Tensor norm = g.clip({p, q}, g.by_norm ? 1.5 : 0.5);
        if (g.by_norm) check_close("norm", norm, row("clipped.norm_before", i), bound(dtype));
        optimizer.step();
        check_close("p", p.tensor(), row(kind + "p", i), bound(dtype));
        check_close("q", q.tensor(), row(kind + "q", i), bound(dtype));
      }
    }
  }
}

TEST_CASE("goldens: ten updates of Ema, of parameters and buffers") {
  const GoldenNames names{{"layers.0.weight", "0.weight"},
                          {"layers.0.bias", "0.bias"},
                          {"layers.1.weight", "1.weight"},
                          {"layers.1.bias", "1.bias"},
                          {"layers.1.running_mean", "1.running_mean"},
                          {"layers.1.running_var", "1.running_var"}};
  for (const DType dtype : golden_dtypes) {
    CAPTURE(dtype);
    nn::Sequential live, average;
    for (nn::Sequential* net : {&live, &average}) {
      net->add(nn::Conv2d({.in = 2, .out = 3, .kernel = 3})).add(nn::BatchNorm2d({.channels = 3}));
      net->to(dtype);
    }
    const auto set = [&](std::int64_t t) {
      NamedTensors state;
      for (const auto& [ours, theirs] : names) state[ours] = row("ema.live." + theirs, t, dtype);
      live.load_state_dict(state);
    };
    const auto compare = [&](std::int64_t t) {
      CAPTURE(t);
      const NamedTensors state = average.state_dict();
      REQUIRE(state.size() == names.size());
      for (const auto& [ours, theirs] : names) {
        check_close(theirs, state.at(ours), row("ema.average." + theirs, t), bound(dtype));
      }
    };
    set(0);
    nn::Ema ema(live, average, 0.35);  // which t / (t + 10) passes at t = 6
    compare(0);
    for (std::int64_t t = 1; t <= 10; ++t) {
      set(t);
      ema.update(t);
      compare(t);
    }
  }
}
