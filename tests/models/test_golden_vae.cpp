// Ten training steps of three small VAEs against PyTorch in f64: the terms of the loss and every
// parameter. See scripts/make_goldens.py for what the file holds.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "kernels/elementwise/elementwise.h"
#include "models/vae_trainer.h"

using namespace imago;
using namespace imago::models;

namespace {

struct Run {
  std::string name;
  VaeOptions model;
  VaeTrainerOptions training;
};

const std::vector<Run>& runs() {
  const auto model = [](Likelihood likelihood, double sigma) {
    return VaeOptions{
        .image = 16, .base = 2, .latent = 3, .likelihood = likelihood, .sigma = sigma};
  };
  static const std::vector<Run> all = {
      {"gaussian",
       model(Likelihood::gaussian, 0.5),
       {.lr = 0.002, .kl_weight = 1, .kl_warmup = 4, .free_bits = 0}},
      {"learned",
       model(Likelihood::gaussian_learned, 0.7),
       {.lr = 0.002, .kl_weight = 2, .kl_warmup = 6, .free_bits = 0.3}},
      {"bernoulli",
       model(Likelihood::bernoulli, 1),
       {.lr = 0.002, .kl_weight = 0.5, .kl_warmup = 3, .free_bits = 0.4}}};
  return all;
}

// Our name of each of the file's layers.
const std::vector<std::pair<std::string, std::string>> names = {{"conv1", "encoder.layers.0.conv"},
                                                                {"conv2", "encoder.layers.1.conv"},
                                                                {"mu", "mu"},
                                                                {"log_variance", "log_variance"},
                                                                {"dense", "decoder.layers.0"},
                                                                {"up1", "decoder.layers.3.conv"},
                                                                {"up2", "decoder.layers.4"},
                                                                {"log_sigma", "pixels.log_sigma"}};

// The tensors below `prefix` of the file under our names, in this dtype.
NamedTensors translated(const SafetensorsFile& file, const std::string& prefix, DType dtype) {
  NamedTensors result;
  for (const auto& [name, tensor] : file.group(prefix)) {
    for (const auto& [theirs, ours] : names) {
      if (name == theirs || name.starts_with(theirs + ".")) {
        result[ours + name.substr(theirs.size())] = kernels::cast(tensor, dtype);
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

void check_parameters(const NamedTensors& got, const NamedTensors& want, double tolerance) {
  REQUIRE(want.size() == got.size());
  for (const auto& [name, tensor] : want) {
    INFO(name);
    REQUIRE(got.contains(name));
    CHECK(difference(got.at(name), tensor) <= tolerance);
  }
}

void follow(DType dtype, double tolerance) {
  const SafetensorsFile file =
      load_safetensors(IMAGO_SOURCE_DIR "/tests/goldens/vae_steps.safetensors");
  const Device device = Context::current().device;
  const Tensor images = kernels::cast(file.tensor("images"), dtype).to(device);
  const Tensor noise = kernels::cast(file.tensor("noise"), dtype).to(device);
  for (const Run& run : runs()) {
    Vae vae(run.model);
    vae.to(dtype);
    vae.load_state_dict(translated(file, run.name + ".init", dtype));
    VaeTrainer trainer(std::move(vae), run.training);
    int compared = 0;
    for (int i = 0; i < 10; ++i) {
      const std::string step = run.name + (i < 9 ? ".step0" : ".step") + std::to_string(i + 1);
      INFO(step);
      const VaeStep result = trainer.step(images.slice(i, i + 1).reshape({2, 16, 16, 3}),
                                          noise.slice(i, i + 1).reshape({2, 3}));
      CHECK(difference(result.loss.tensor(), file.tensor(step + ".loss")) <= tolerance);
      CHECK(difference(result.reconstruction.tensor(), file.tensor(step + ".reconstruction")) <=
            tolerance);
      CHECK(difference(result.kl.tensor(), file.tensor(step + ".kl")) <= tolerance);
      if (file.tensors.contains(step + ".dense.bias")) {
        check_parameters(trainer.vae().state_dict(), translated(file, step, DType::f64), tolerance);
        ++compared;
      }
    }
    CHECK(compared == 4);
  }
}

}  // namespace

TEST_CASE("ten VAE steps in f64 equal PyTorch's") {
  follow(DType::f64, 1e-9);
}

TEST_CASE("ten VAE steps in f32 equal PyTorch's f64 to rounding") {
  follow(DType::f32, 1e-5);
}
