// Layers and losses against PyTorch, from the tables in golden_case.h; and Adam.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops/add.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/conv2d.h"
#include "autograd/ops/exp.h"
#include "autograd/ops/log.h"
#include "autograd/ops/logsumexp.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/permute.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/sum_to.h"
#include "golden_checks.h"
#include "nn/gan_loss.h"
#include "nn/layers.h"
#include "nn/optim.h"
#include "nn/vae_loss.h"

using namespace imago;
using namespace imago::test;

namespace {

const SafetensorsFile& goldens() {
  return golden_file("layers.safetensors");
}

Tensor golden(const std::string& name, DType dtype = DType::f64) {
  return kernels::cast(goldens().tensor(name), dtype);
}

}  // namespace

TEST_CASE("goldens: Linear and convolutions") {
  for (const LayerGolden& g : convolution_layer_goldens()) check_layer(g);
  // The layer has one stride for both axes; the operation has two.
  const Conv2dParams params{.stride_h = 1,
                            .stride_w = 2,
                            .pad = Padding::same(2),
                            .dilation_h = 2,
                            .dilation_w = 2,
                            .groups = 2};
  check_function(goldens(), "conv2d_groups", {"x", "w", "b"},
                 [&](const Vars& v) { return ops::add(ops::conv2d(v[0], v[1], params), v[2]); });
}

TEST_CASE("goldens: layers that normalise") {
  for (const LayerGolden& g : norm_layer_goldens()) check_layer(g);
}

TEST_CASE("goldens: activations, exp, log and logsumexp") {
  for (const LayerGolden& g : elementwise_layer_goldens()) check_layer(g);
  check_function(goldens(), "exp", {"x"}, [](const Vars& v) { return ops::exp(v[0]); });
  check_function(goldens(), "log", {"x"}, [](const Vars& v) { return ops::log(v[0]); });
  check_function(golden_file("catalogue.safetensors"), "logsumexp", {"x"}, [](const Vars& v) {
    return ops::logsumexp(v[0], {0, 2});
  });
}

TEST_CASE("goldens: pooling, resampling and padding") {
  for (const LayerGolden& g : image_layer_goldens()) check_layer(g);
}

TEST_CASE("goldens: layers made of layers, Reshape and Embedding") {
  for (const LayerGolden& g : structure_layer_goldens()) check_layer(g);
}

TEST_CASE("goldens: the fused batch norm of ConvBlock") {
  // A 1x1 convolution with the identity as weight leaves the batch norm and its activation.
  for (const DType dtype : golden_dtypes) {
    CAPTURE(dtype);
    nn::ConvBlock block(
        {.in = 5, .out = 5, .kernel = 1, .activation = nn::Activation::leaky_relu, .slope = 0.2});
    block.to(dtype);
    Tensor identity = Tensor::empty({5, 1, 1, 5}, DType::f64, Device::cpu());
    for (int i = 0; i < 25; ++i) identity.mutable_data<double>()[i] = i % 6 == 0 ? 1 : 0;
    const std::string name = "batch_norm_lrelu";
    block.load_state_dict({{"conv.weight", kernels::cast(identity, dtype)},
                           {"norm.weight", golden(name + ".gamma", dtype)},
                           {"norm.bias", golden(name + ".beta", dtype)},
                           {"norm.running_mean", golden(name + ".mean_in", dtype)},
                           {"norm.running_var", golden(name + ".var_in", dtype)}});
    Var x = parameter(golden(name + ".x", dtype));
    const Var y = block(x);
    y.backward(Var(golden(name + ".dy", dtype)));
    const nn::BatchNorm2d& norm = block.norm();
    check_close("y", y.tensor(), golden(name + ".y"), golden_bound(dtype));
    check_close("dx", x.grad().tensor(), golden(name + ".dx"), golden_bound(dtype));
    check_close("dgamma", norm.weight().grad().tensor(), golden(name + ".dgamma"),
                golden_bound(dtype));
    check_close("dbeta", norm.bias().grad().tensor(), golden(name + ".dbeta"), golden_bound(dtype));
    check_close("mean", norm.running_mean().tensor(), golden(name + ".mean"), golden_bound(dtype));
    check_close("var", norm.running_var().tensor(), golden(name + ".var"), golden_bound(dtype));
  }
}

TEST_CASE("goldens: losses") {
  for (const LossGolden& g : all_loss_goldens()) check_loss(g);
}

TEST_CASE("goldens: l2_normalize, of rows of zeros and of rows shorter than eps too") {
  const SafetensorsFile& margins = golden_file("margins.safetensors");
  for (const char* name : {"l2_normalize", "l2_normalize_zeros"}) {
    check_function(margins, name, {"x"}, [](const Vars& v) { return nn::l2_normalize(v[0]); });
  }
  check_function(margins, "l2_normalize_eps", {"x"},
                 [](const Vars& v) { return nn::l2_normalize(v[0], 0.5); });
}

TEST_CASE("goldens: iwae_bound is logsumexp, less the logarithm of how many samples there are") {
  check_function(golden_file("catalogue.safetensors"), "logsumexp", {"x"}, [](const Vars& v) {
    // x (3, 4, 5) over axes 0 and 2: 15 samples for each of 4 images.
    const Var log_weights = ops::reshape(ops::permute(v[0], {0, 2, 1}), {15, 4});
    return ops::add_scalar(loss::iwae_bound(log_weights), std::log(15.0));
  });
}

TEST_CASE("goldens: Adam") {
  for (const DType dtype : golden_dtypes) {
    CAPTURE(dtype);
    Var p = parameter(golden("adam.p0", dtype).clone());
    optim::Adam adam({p}, {.lr = 0.01, .beta1 = 0.5, .beta2 = 0.999, .eps = 1e-8});
    for (int step = 0; step < 10; ++step) {
      CAPTURE(step);
      const auto row = [&](const char* name, DType t) {
        return golden(name, t).slice(step, step + 1).reshape({6}).clone();
      };
      p.zero_grad();
      ops::sum(ops::mul(p, Var(row("adam.grads", dtype)))).backward();
      adam.step();
      check_close("adam.p", p.tensor(), row("adam.p", DType::f64), golden_bound(dtype));
      check_close("adam.m", adam.state_dict().at("m.0"), row("adam.m", DType::f64),
                  golden_bound(dtype));
      check_close("adam.v", adam.state_dict().at("v.0"), row("adam.v", DType::f64),
                  golden_bound(dtype));
    }
  }
}
