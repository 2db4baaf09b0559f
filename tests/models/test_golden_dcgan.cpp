// Ten training steps of a small DCGAN against PyTorch in f64: both losses and every parameter. See
// scripts/make_goldens.py for what the file holds.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "kernels/elementwise/elementwise.h"
#include "models/dcgan.h"
#include "models/gan_trainer.h"
#include "nn/loss.h"

using namespace imago;
using namespace imago::models;

namespace {

// Our name of each of the file's tensors.
const std::vector<std::pair<std::string, std::string>> generator_names = {
    {"conv1.weight", "layers.1.conv.weight"},
    {"bn1", "layers.1.norm"},
    {"conv2.weight", "layers.2.conv.weight"},
    {"bn2", "layers.2.norm"},
    {"conv3.weight", "layers.3.weight"}};
const std::vector<std::pair<std::string, std::string>> discriminator_names = {
    {"conv1.weight", "layers.0.weight"},
    {"conv2.weight", "layers.2.conv.weight"},
    {"bn2", "layers.2.norm"},
    {"conv3.weight", "layers.3.weight"}};

// The tensors below `prefix` of the file under our names, in f64.
NamedTensors translated(const SafetensorsFile& file, const std::string& prefix,
                        const std::vector<std::pair<std::string, std::string>>& names) {
  NamedTensors result;
  for (const auto& [name, tensor] : file.group(prefix)) {
    for (const auto& [theirs, ours] : names) {
      if (name.starts_with(theirs)) {
        result[ours + name.substr(theirs.size())] = kernels::cast(tensor, DType::f64);
      }
    }
  }
  return result;
}

// The largest |a - b| / max(1, |b|); NaN if any.
double difference(const Tensor& got, const Tensor& want) {
  REQUIRE(got.shape() == want.shape());
  const Tensor a = kernels::cast(got.to(Device::cpu()), DType::f64);
  const Tensor b = kernels::cast(want.to(Device::cpu()), DType::f64);
  double worst = 0;
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    const double y = b.data<double>()[i];
    const double d = std::abs(a.data<double>()[i] - y) / std::max(1.0, std::abs(y));
    if (!(d <= worst)) worst = d;
  }
  return worst;
}

void check_networks(const SafetensorsFile& file, const std::string& step, GanTrainer& trainer,
                    double tolerance) {
  const auto check = [&](const nn::Sequential& network, const std::string& group,
                         const auto& names) {
    const NamedTensors want = translated(file, step + "." + group, names);
    const NamedTensors got = network.state_dict();
    REQUIRE(want.size() == got.size());
    for (const auto& [name, tensor] : want) {
      INFO(step << " " << group << " " << name);
      REQUIRE(got.contains(name));
      CHECK(difference(got.at(name), tensor) <= tolerance);
    }
  };
  check(trainer.gan().generator, "g", generator_names);
  check(trainer.gan().discriminator, "d", discriminator_names);
}

void follow(DType dtype, double tolerance_losses, double tolerance_weights) {
  const SafetensorsFile file =
      load_safetensors(IMAGO_SOURCE_DIR "/tests/goldens/dcgan_steps.safetensors");
  const auto load = [&](nn::Sequential& network, const std::string& group, const auto& names) {
    NamedTensors state = translated(file, "init." + group, names);
    for (auto& [name, tensor] : state) tensor = kernels::cast(tensor, dtype);
    network.to(dtype);
    network.load_state_dict(state);
  };
  Gan gan;
  gan.generator = dcgan_generator({.z = 16, .base = 8, .image = 16});
  gan.discriminator = dcgan_discriminator({.base = 8, .image = 16});
  gan.z = 16;
  load(gan.generator, "g", generator_names);
  load(gan.discriminator, "d", discriminator_names);
  GanTrainer trainer(std::move(gan), {.lr = 0.002});

  const Device device = Context::current().device;
  const Tensor real = kernels::cast(file.tensor("real"), dtype).to(device);
  const Tensor z = kernels::cast(file.tensor("z"), dtype).to(device);
  for (int i = 0; i < 10; ++i) {
    const std::string step = (i < 9 ? "step0" : "step") + std::to_string(i + 1);
    const GanStep result = trainer.step(real.slice(i, i + 1).reshape({4, 16, 16, 3}),
                                        z.slice(i, i + 1).reshape({4, 16}));
    INFO(step);
    CHECK(difference(result.loss_d.tensor(), file.tensor(step + ".loss_d")) <= tolerance_losses);
    CHECK(difference(result.loss_g.tensor(), file.tensor(step + ".loss_g")) <= tolerance_losses);
    CHECK(difference(result.logits_real.tensor().reshape({4}),
                     file.tensor(step + ".logits_real")) <= tolerance_losses);
    check_networks(file, step, trainer, tolerance_weights);
  }
}

}  // namespace

TEST_CASE("ten DCGAN steps in f64 equal PyTorch's") {
  follow(DType::f64, 1e-9, 1e-9);
}

TEST_CASE("ten DCGAN steps in f32 equal PyTorch's f64 to rounding") {
  follow(DType::f32, 1e-5, 1e-5);
}
