// What the Python tests of this folder ask of Imago. Each command reads and writes files:
//   load NETWORK WEIGHTS IN OUT        loads PyTorch's weights and runs IN through the network
//   export NETWORK SEED WEIGHTS IN OUT the same with weights of its own, which it saves for PyTorch
//   train MODEL CHECKPOINT NPZ         one training step; its state as a checkpoint and as arrays
//   resave IN OUT                      a safetensors file
//   npy IN OUT | npz IN OUT            an array or an archive
//   wide IN OUT                        an archive whose sizes and offsets are written in 64 bits
// NETWORK is MODEL[/BASE]/g, MODEL[/BASE]/d, seed003_cnn or spectral. IN and OUT are .npy, images
// (N, H, W, C) or rows; networks run in evaluation mode.
#include <array>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "autograd/random.h"
#include "models/gan_trainer.h"
#include "models/import_maps.h"
#include "nn/safetensors.h"
#include "tensor/files/npy.h"
#include "tensor/files/npy_header.h"
#include "tensor/files/zip.h"
#include "tests/interop/seed_cnn.h"

namespace {

using namespace imago;

struct Network {
  nn::Sequential module;
  nn::ImportMap map;
};

// Spectrally normalised layers, whose channels and taps are all 3: sizes cannot tell a wrong order.
// Images (N, 5, 5, 3) -> (N, 2).
Network spectral_network() {
  Network network{.module = {},
                  .map = {{"main.0", "layers.0", nn::PytorchLayer::conv},
                          {"main.2", "layers.2", nn::PytorchLayer::conv},
                          {"main.5", "layers.5", nn::PytorchLayer::linear, {5, 5, 3}}}};
  network.module.add(nn::Conv2d({.in = 3, .out = 3, .kernel = 3, .spectral_norm = true}))
      .add(nn::LeakyReLU({.slope = 0.2}))
      .add(nn::ConvTranspose2d({.in = 3, .out = 3, .kernel = 3, .spectral_norm = true}))
      .add(nn::Tanh())
      .add(nn::Flatten())
      .add(nn::Linear({.in = 75, .out = 2, .spectral_norm = true}));
  return network;
}

Network make_network(const std::string& name) {
  if (name == "seed003_cnn") return {test::seed_cnn(), models::seed003_cnn_map()};
  if (name == "spectral") return spectral_network();
  const auto first = name.find('/'), last = name.rfind('/');
  check(last != std::string::npos, "interop", "'", name, "' is no network");
  models::GanSpec spec{name.substr(0, first), 64};
  if (first != last) spec.base = std::stoi(name.substr(first + 1, last - first - 1));
  models::Gan gan = models::make_gan(spec);
  if (name.ends_with("/g")) return {std::move(gan.generator), models::generator_map(spec)};
  return {std::move(gan.discriminator), models::discriminator_map(spec)};
}

void run(nn::Sequential& network, const std::string& in, const std::string& out) {
  const NoGrad no_grad;
  const nn::Evaluating mode(network);
  save_npy(out, network(load_npy(in)).tensor());
}

// Batch norms that do something: statistics and affine weights unlike those of a fresh layer.
void stir(nn::Sequential& network) {
  const NoGrad no_grad;
  for (auto& [name, tensor] : network.state_dict()) {
    if (tensor.dim() != 1 || name.ends_with("weight_u") || name.ends_with("weight_v")) continue;
    Tensor values = randn(tensor.shape()).tensor().to(Device::cpu());
    float* p = values.mutable_data<float>();
    for (std::int64_t i = 0; i < values.numel(); ++i) {
      p[i] = name.ends_with("running_var") ? 0.5f + p[i] * p[i] : 0.2f * p[i];
      if (name.ends_with("weight")) p[i] += 1;
    }
    Tensor target = tensor;
    target.copy_from(values);
  }
}

void train(const std::string& model, const std::string& checkpoint, const std::string& npz) {
  const models::GanSpec spec{model, model.starts_with("seed") ? 64 : 4};
  models::Gan gan = models::make_gan(spec);
  const int image = gan.image;
  models::GanTrainer trainer(std::move(gan), {.ema = 0.9});
  trainer.step(randn({4, image, image, 3}).tensor());
  save_safetensors(checkpoint, trainer.state(), trainer.metadata());
  save_npz(npz, trainer.state());
}

void save_wide(const std::string& path, const NamedArrays& arrays) {
  FileReplacement file("save_npz", path);
  files::ZipWriter archive(file, 1);
  for (const auto& [name, tensor] : arrays) {
    const std::string header = files::make_npy_header("save_npz", path, tensor);
    const std::array parts = {std::as_bytes(std::span(header)),
                              std::span(tensor.bytes(), tensor.nbytes())};
    archive.add(name + ".npy", parts);
  }
  archive.finish();
  file.commit();
}

using Arguments = std::vector<std::string>;
struct Command {
  std::size_t arguments;
  std::function<void(const Arguments&)> run;
};

const std::map<std::string, Command> commands = {
    {"load",
     {4,
      [](const Arguments& a) {
        Network network = make_network(a[0]);
        nn::load_pytorch(network.module, network.map, a[1]);
        run(network.module, a[2], a[3]);
      }}},
    {"export",
     {5,
      [](const Arguments& a) {
        manual_seed(std::stoull(a[1]));
        Network network = make_network(a[0]);
        stir(network.module);
        nn::save_pytorch(network.module, network.map, a[2]);
        run(network.module, a[3], a[4]);
      }}},
    {"train", {3, [](const Arguments& a) { train(a[0], a[1], a[2]); }}},
    {"resave",
     {2,
      [](const Arguments& a) {
        const SafetensorsFile file = load_safetensors(a[0]);
        save_safetensors(a[1], file.tensors, file.metadata);
      }}},
    {"npy", {2, [](const Arguments& a) { save_npy(a[1], load_npy(a[0])); }}},
    {"npz", {2, [](const Arguments& a) { save_npz(a[1], load_npz(a[0])); }}},
    {"wide", {2, [](const Arguments& a) { save_wide(a[1], load_npz(a[0])); }}},
};

}  // namespace

int main(int argc, char** argv) {
  const Arguments all(argv + 1, argv + argc);
  const auto found = all.empty() ? commands.end() : commands.find(all[0]);
  if (found == commands.end() || all.size() != found->second.arguments + 1) {
    std::fprintf(stderr, "interop_tool: the commands are at the top of interop_tool.cpp\n");
    return 2;
  }
  try {
    Context::current().device = Device::cpu();
    found->second.run({all.begin() + 1, all.end()});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "interop_tool: %s\n", error.what());
    return 1;
  }
  return 0;
}
