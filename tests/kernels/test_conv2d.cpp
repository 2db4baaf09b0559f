#include <doctest/doctest.h>

#include <string>

#include "kernels/conv2d/cases.h"
#include "kernels/conv2d/engines.h"
#include "tensor/context.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;

namespace {

struct Operands {
  Tensor x, w, y;

  Operands to(Device device) const { return {x.to(device), w.to(device), y.to(device)}; }
};

struct DeviceEngine {
  Device device;
  Engine engine;
};

// Every engine but the reference.
std::vector<DeviceEngine> fast_engines() {
  std::vector<DeviceEngine> engines{{Device::cpu(), Engine::direct}};
  for (const Device device : test::devices()) {
    if (!device.is_cuda()) continue;
    for (const Engine engine : {Engine::naive, Engine::tiled, Engine::blocked}) {
      engines.push_back({device, engine});
    }
  }
  return engines;
}

bool can(Engine engine, const Conv2dCase& c, DType dtype) {
  switch (engine) {
    case Engine::direct:
      return conv2d_direct_can(c.problem(), dtype);
    case Engine::tiled:
      return conv2d_tiles_can(c.problem());
    case Engine::blocked:
      return conv2d_tiles_can(c.problem()) && dtype == DType::f32;
    default:
      return true;
  }
}

template <class Make>
Operands operands(const Conv2dCase& c, DType dtype, Make&& make) {
  return {make(c.x(), dtype, 1), make(c.w(), dtype, 2), make(c.y(), dtype, 3)};
}

const Conv2dPass passes[] = {Conv2dPass::forward, Conv2dPass::input_grad, Conv2dPass::weight_grad};

Tensor run(Conv2dPass pass, const Conv2dCase& c, const Operands& o, Engine engine) {
  switch (pass) {
    case Conv2dPass::forward:
      return conv2d(o.x, o.w, c.params, engine);
    case Conv2dPass::input_grad:
      return conv2d_input_grad(o.y, o.w, c.H, c.W, c.params, engine);
    case Conv2dPass::weight_grad:
      return conv2d_weight_grad(o.x, o.y, c.R, c.S, c.params, o.x.dtype(), engine);
  }
  return {};
}

// The trilinear form term by term, with its own index arithmetic: the scatter of every (input
// pixel, tap) pair, where the engines gather.
struct Scatter {
  Tensor y, x_grad, w_grad;
};
Scatter scatter(const Conv2dCase& c, const Operands& o) {
  const Conv2dProblem d = c.problem();
  const Tensor x = test::to_f64(o.x), w = test::to_f64(o.w), y = test::to_f64(o.y);
  Scatter result{Tensor::zeros(y.shape(), DType::f64), Tensor::zeros(x.shape(), DType::f64),
                 Tensor::zeros(w.shape(), DType::f64)};
  double* out = result.y.mutable_data<double>();
  double* x_grad = result.x_grad.mutable_data<double>();
  double* w_grad = result.w_grad.mutable_data<double>();
  const std::int64_t cg = d.C / d.params.groups, kg = d.K / d.params.groups;
  for (std::int64_t n = 0; n < d.N; ++n) {
    for (std::int64_t h = 0; h < d.H; ++h) {
      for (std::int64_t v = 0; v < d.W; ++v) {
        for (std::int64_t r = 0; r < d.R; ++r) {
          for (std::int64_t s = 0; s < d.S; ++s) {
            const std::int64_t up = h + d.params.pad.top - r * d.params.dilation_h;
            const std::int64_t left = v + d.params.pad.left - s * d.params.dilation_w;
            if (up < 0 || left < 0 || up % d.params.stride_h || left % d.params.stride_w) continue;
            const std::int64_t p = up / d.params.stride_h, q = left / d.params.stride_w;
            if (p >= d.P || q >= d.Q) continue;
            for (std::int64_t k = 0; k < d.K; ++k) {
              for (std::int64_t i = 0; i < cg; ++i) {
                const std::int64_t at_x = ((n * d.H + h) * d.W + v) * d.C + k / kg * cg + i;
                const std::int64_t at_w = ((k * d.R + r) * d.S + s) * cg + i;
                const std::int64_t at_y = ((n * d.P + p) * d.Q + q) * d.K + k;
                out[at_y] += x.data<double>()[at_x] * w.data<double>()[at_w];
                x_grad[at_x] += y.data<double>()[at_y] * w.data<double>()[at_w];
                w_grad[at_w] += x.data<double>()[at_x] * y.data<double>()[at_y];
              }
            }
          }
        }
      }
    }
  }
  return result;
}

}  // namespace

TEST_CASE("conv2d: the reference is the trilinear form, exactly, on small integers") {
  const test::Guarded guarded;
  for (const Conv2dCase& c : conv2d_cases()) {
    CAPTURE(c.name);
    const Operands exact = operands(c, DType::f64, test::small_integers);
    const Scatter want = scatter(c, exact);
    const Tensor* expected[] = {&want.y, &want.x_grad, &want.w_grad};
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Operands o = operands(c, dtype, test::small_integers);
      for (int i = 0; i < 3; ++i) {
        const Tensor got = run(passes[i], c, o, Engine::reference);
        CHECK(got.dtype() == dtype);
        CHECK(test::largest_error(got, *expected[i]) == 0.0);
      }
    }
  }
}

TEST_CASE("conv2d: every engine is the reference, exactly, on small integers, in every order") {
  const test::Guarded guarded;
  std::vector<Conv2dCase> cases = conv2d_cases();
  for (const Conv2dCase& c : conv2d_tile_cases()) cases.push_back(c);
  for (const Conv2dCase& layer : dcgan_layers(1)) cases.push_back(layer);
  for (const auto& [device, engine] : fast_engines()) {
    CAPTURE(device);
    CAPTURE(name_of(engine));
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
      for (const Conv2dCase& c : cases) {
        CAPTURE(c.name);
        // Too long under the emulator, where the larger ones run on the engine they are made for.
        const double most = engine == Engine::blocked ? 3e7 : dtype == DType::f32 ? 1e6 : 3e5;
        if (IMAGO_EMULATED && device.is_cuda() && c.flops() > most) continue;
        if (!can(engine, c, dtype)) continue;
        const Operands o = operands(c, dtype, test::small_integers);
        const Operands there = o.to(device);
        for (const Conv2dPass pass : passes) {
          CAPTURE(name_of(pass));
          const Tensor want = run(pass, c, o, Engine::reference);
          const auto check = [&] { CHECK(same_bits(run(pass, c, there, engine), want)); };
          c.flops() > 3e6 ? check() : test::for_each_order(device, check);
        }
      }
    }
  }
}

TEST_CASE("conv2d: bf16 sums in f32 and rounds once") {
  const test::Guarded guarded;
  for (const Conv2dCase& c : conv2d_cases()) {
    CAPTURE(c.name);
    const Operands o = operands(c, DType::bf16, test::small_integers);
    const Scatter want = scatter(c, o);
    const Tensor* expected[] = {&want.y, &want.x_grad, &want.w_grad};
    for (int i = 0; i < 3; ++i) {
      const Tensor got = run(passes[i], c, o, Engine::reference);
      CHECK(got.dtype() == DType::bf16);
      Tensor rounded = Tensor::empty(got.shape(), DType::bf16);
      bf16* p = rounded.mutable_data<bf16>();
      for (std::int64_t j = 0; j < rounded.numel(); ++j) {
        p[j] = bf16(static_cast<float>(expected[i]->data<double>()[j]));
      }
      CHECK(test::largest_error(got, rounded) == 0.0);
    }
    const Tensor wide = conv2d_weight_grad(o.x, o.y, c.R, c.S, c.params, DType::f32);
    CHECK(wide.dtype() == DType::f32);
    CHECK(test::largest_error(wide, want.w_grad) == 0.0);
  }
}

TEST_CASE("conv2d: random inputs stay within the tolerance of the f64 reference") {
  std::vector<DeviceEngine> engines = fast_engines();
  engines.push_back({Device::cpu(), Engine::reference});
  for (const Conv2dCase& c : conv2d_cases()) {
    CAPTURE(c.name);
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const Operands o = operands(c, dtype, test::normals);
      const Operands exact{test::to_f64(o.x), test::to_f64(o.w), test::to_f64(o.y)};
      for (const Conv2dPass pass : passes) {
        CAPTURE(name_of(pass));
        const Tensor want = run(pass, c, exact, Engine::reference);
        const double bound = c.tolerance(pass, dtype, test::largest(want));
        for (const auto& [device, engine] : engines) {
          CAPTURE(device);
          CAPTURE(name_of(engine));
          if (!can(engine, c, dtype)) continue;
          CHECK(test::largest_error(run(pass, c, o.to(device), engine), want) <= bound);
        }
      }
    }
  }
}

TEST_CASE("conv2d: the three passes of every engine are adjoint to each other") {
  std::vector<DeviceEngine> engines = fast_engines();
  engines.push_back({Device::cpu(), Engine::reference});
  for (const auto& [device, engine] : engines) {
    CAPTURE(device);
    CAPTURE(name_of(engine));
    for (const Conv2dCase& c : conv2d_cases()) {
      CAPTURE(c.name);
      const DType dtype = can(engine, c, DType::f64) ? DType::f64 : DType::f32;
      if (!can(engine, c, dtype)) continue;
      const Operands o = operands(c, dtype, test::normals), there = o.to(device);
      const double form = test::dot(run(Conv2dPass::forward, c, there, engine), o.y);
      const double by_x = test::dot(run(Conv2dPass::input_grad, c, there, engine), o.x);
      const double by_w = test::dot(run(Conv2dPass::weight_grad, c, there, engine), o.w);
      // The form is a sum of flops / 2 products of normals.
      const double bound = dtype == DType::f64
                               ? 1e-12 * c.flops()
                               : sum_tolerance(dtype, dtype, static_cast<std::int64_t>(c.flops()),
                                               std::sqrt(c.flops()));
      CHECK(std::fabs(form - by_x) <= bound);
      CHECK(std::fabs(form - by_w) <= bound);
    }
  }
}

TEST_CASE("conv2d: engines of CUDA repeat their bits, in every order of threads") {
  std::vector<Conv2dCase> cases = conv2d_tile_cases();
  cases.push_back({"kernel covers the input", 5, 4, 4, 23, 1, 4, 4, {}});
  for (const auto& [device, engine] : fast_engines()) {
    if (!device.is_cuda()) continue;
    CAPTURE(name_of(engine));
    for (const Conv2dCase& c : cases) {
      CAPTURE(c.name);
      if (IMAGO_EMULATED && c.flops() > (engine == Engine::blocked ? 3e6 : 1e6)) continue;
      const Operands o = operands(c, DType::f32, test::normals).to(device);
      for (const Conv2dPass pass : passes) {
        CAPTURE(name_of(pass));
        const Tensor once = run(pass, c, o, engine);
        test::for_each_order(device, [&] { CHECK(same_bits(run(pass, c, o, engine), once)); });
      }
    }
  }
}

TEST_CASE("conv2d: the number of threads does not change a bit, nor does a second run") {
  const ContextScope scope;
  std::vector<Conv2dCase> cases = conv2d_cases();
  for (const Conv2dCase& layer : dcgan_layers(1)) cases.push_back(layer);
  for (const Conv2dCase& c : cases) {
    CAPTURE(c.name);
    for (const DType dtype : {DType::f32, DType::bf16}) {
      if (dtype == DType::bf16 && c.flops() > 1e6) continue;  // the reference engine takes long
      const Operands o = operands(c, dtype, test::normals);
      for (const Conv2dPass pass : passes) {
        set_num_threads(1);
        const Tensor one = run(pass, c, o, Engine::automatic);
        CHECK(same_bits(run(pass, c, o, Engine::automatic), one));
        for (const int threads : {2, 3}) {
          set_num_threads(threads);
          CHECK(same_bits(run(pass, c, o, Engine::automatic), one));
        }
      }
    }
  }
}

TEST_CASE("conv2d: messages name what was expected, what came and why") {
  const Tensor x = Tensor::zeros({2, 8, 8, 3}), w = Tensor::zeros({4, 3, 3, 64});
  const auto forward = [&](const Tensor& weight, const Conv2dParams& params,
                           Engine engine = Engine::automatic) {
    return test::error_of([&] { conv2d(x, weight, params, engine); });
  };
  const Tensor good = Tensor::zeros({4, 3, 3, 3});
  CHECK(forward(w, {}) ==
        "[conv2d] weight expects C=64 but input is (2, 8, 8, 3); were the weights made for another "
        "layer?");
  CHECK(forward(Tensor::zeros({4, 9, 3, 3}), {}).find("reaches over 9 rows") != std::string::npos);
  CHECK(forward(good, {.dilation_w = 5}).find("reaches over 11 columns") != std::string::npos);
  CHECK(forward(good, {.stride_h = 0}).find("strides are at least 1") != std::string::npos);
  CHECK(forward(good, {.pad = {0, -1, 0, 0}}).find("not negative") != std::string::npos);
  CHECK(forward(good, {.groups = 3}).find("weight expects C=9") != std::string::npos);
  CHECK(forward(Tensor::zeros({4, 3, 3, 1}), {.groups = 3}).find("do not divide") !=
        std::string::npos);
  CHECK(forward(Tensor::zeros({4, 3, 3}), {}).find("rank 4") != std::string::npos);
  CHECK(forward(Tensor::zeros({4, 3, 3, 3}, DType::f64), {}).find("cast one") != std::string::npos);
  CHECK(forward(good, {}, Engine::cudnn).find("engine cudnn does not run on the CPU") !=
        std::string::npos);
  CHECK(forward(Tensor::zeros({4, 3, 3, 3}), {.dilation_h = 2}, Engine::direct) ==
        "[conv2d] engine direct cannot do n2h8w8c3k4r3s3u1v1p0d2_1 in f32: direct takes f32 "
        "and bf16 with groups and dilation 1; use auto or reference");
  CHECK(test::error_of([&] { conv2d(Tensor{}, w, {}); }) == "[conv2d] input is undefined");

  const Tensor y = Tensor::zeros({2, 3, 3, 4});
  CHECK(test::error_of([&] { conv2d_input_grad(y, good, 8, 8, {}); }) ==
        "[conv2d_input_grad] an input of (2, 8, 8, 3) under a kernel of 3 x 3 has an output of (2, "
        "6, 6, 4), but y is (2, 3, 3, 4); are stride and padding those of the forward pass?");
  CHECK(test::error_of([&] {
          conv2d_weight_grad(x, y, 3, 3, {}, DType::f32);
        }).find("has an output of (2, 6, 6, 4)") != std::string::npos);
  CHECK(test::error_of([&] { conv2d_weight_grad(x, y, 3, 3, {}, DType::bf16); }) ==
        "[conv2d_weight_grad] the gradient of f32 is of the same type or summed in f32, not bf16");
}

TEST_CASE("conv2d: output extents") {
  CHECK(conv_output_extent(64, 4, 2, 1, 1, 1) == 32);
  CHECK(conv_output_extent(7, 3, 2, 0, 1, 2) == 2);
  CHECK(conv_transpose_output_extent(32, 4, 2, 1, 1, 1, 0) == 64);
  CHECK(conv_transpose_output_extent(4, 3, 2, 1, 1, 1, 1) == 8);
  CHECK_THROWS_AS(conv_output_extent(2, 4, 1, 0, 1, 1), Error);
  CHECK_THROWS_AS(conv_transpose_output_extent(4, 3, 2, 1, 1, 1, 2), Error);
  for (const Conv2dCase& c : conv2d_cases()) {
    // Some output padding leads back to the height that the forward pass saw.
    const Conv2dProblem d = c.problem();
    const std::int64_t smallest = (d.P - 1) * d.params.stride_h + (d.R - 1) * d.params.dilation_h +
                                  1 - d.params.pad.top - d.params.pad.bottom;
    CHECK(d.H - smallest >= 0);
    CHECK(d.H - smallest < d.params.stride_h);
  }
}

TEST_CASE("conv2d: a problem has a name") {
  CHECK(dcgan_layers(128)[1].problem().to_string() == "n128h32w32c64k128r4s4u2v2p1");
  const Conv2dCase c{"", 1, 9,
                     9,  4, 6,
                     3,  2, {.pad = {0, 1, 2, 3}, .dilation_h = 2, .dilation_w = 3, .groups = 2}};
  CHECK(c.problem().to_string() == "n1h9w9c4k6r3s2u1v1p0_1_2_3g2d2_3");
  CHECK(dcgan_layers(128)[1].flops() == 2.0 * 128 * 16 * 16 * 128 * 16 * 64);
}
