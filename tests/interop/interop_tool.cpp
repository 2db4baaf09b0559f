// What the Python tests of this folder ask of Imago. Each command reads and writes files:
//   load NETWORK WEIGHTS IN OUT        loads PyTorch's weights and runs IN through the network
//   export NETWORK SEED WEIGHTS IN OUT the same with weights of its own, which it saves for PyTorch
//   train MODEL CHECKPOINT NPZ         one training step; its state as a checkpoint and as arrays
//   resave IN OUT                      a safetensors file
//   npy IN OUT | npz IN OUT            an array or an archive
//   wide IN OUT                        an archive whose sizes and offsets are written in 64 bits
// NETWORK is one of
//   MODEL[/BASE]/g MODEL[/BASE]/d      of models/gan.h
//   projectionSIZE/g projectionSIZE/d acganSIZE/g acganSIZE/d
//                                      conditional GANs; row i is of class i % 3. What D says of
//                                      classes follows its logit in the same row
//   vaeSIZE/LIKELIHOOD/PART            encode: mu, then log variance, in one row; decode: of z;
//                                      likelihood: log p(x | decode(mu)) of images; dis1, dis2:
//                                      of the discriminator with features of that layer
//   translationSIZE/TASK/PART          g: the translator's own output; global, local: what the
//                                      discriminators say
//   face_features                      the embedding, then the logits of attributes, in one row
//   face_cnn/NETWORK/SIZE              of models/face_cnn.h
//   seed003_cnn spectral
// IN and OUT are .npy, images (N, H, W, C) or rows; networks run in evaluation mode.
#include <array>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "autograd/ops/concat.h"
#include "autograd/random.h"
#include "models/face_cnn.h"
#include "models/gan_trainer.h"
#include "models/import_maps.h"
#include "nn/layers.h"
#include "nn/safetensors.h"
#include "tensor/files/npy.h"
#include "tensor/files/npy_header.h"
#include "tensor/files/zip.h"

namespace {

using namespace imago;

struct Network {
  std::shared_ptr<nn::Module> module;
  nn::ImportMap map;
  std::function<Var(const Var&)> compute;
};

Network one_way(nn::Sequential&& layers, nn::ImportMap map) {
  const auto net = std::make_shared<nn::Sequential>(std::move(layers));
  return {net, std::move(map), [net](const Var& x) { return (*net)(x); }};
}

// Spectrally normalised layers, whose channels and taps are all 3: sizes cannot tell a wrong order.
// Images (N, 5, 5, 3) -> (N, 2).
Network spectral_network() {
  nn::Sequential net;
  net.add(nn::Conv2d({.in = 3, .out = 3, .kernel = 3, .spectral_norm = true}))
      .add(nn::LeakyReLU({.slope = 0.2}))
      .add(nn::ConvTranspose2d({.in = 3, .out = 3, .kernel = 3, .spectral_norm = true}))
      .add(nn::Tanh())
      .add(nn::Flatten())
      .add(nn::Linear({.in = 75, .out = 2, .spectral_norm = true}));
  return one_way(std::move(net), {{"main.0", "layers.0", nn::PytorchLayer::conv},
                                  {"main.2", "layers.2", nn::PytorchLayer::conv},
                                  {"main.5", "layers.5", nn::PytorchLayer::linear, {5, 5, 3}}});
}

constexpr int classes = 3;

// Row i is of class i % 3.
Tensor labels_of(const Var& x) {
  Tensor labels = Tensor::empty({x.size(0)}, DType::i64, Device::cpu());
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    labels.mutable_data<std::int64_t>()[i] = i % classes;
  }
  return labels;
}

// "projection16/d": the parts of the name.
Network conditional_network(const std::string& conditioning, int image, const std::string& part) {
  const models::ConditionalGanSpec spec{.classes = classes,
                                        .conditioning = models::conditioning_named(conditioning),
                                        .image = image,
                                        .base = 3,
                                        .z = 5};
  if (part == "g") {
    const auto g = std::make_shared<models::ConditionalGenerator>(spec);
    return {g, models::conditional_generator_map(spec),
            [g](const Var& z) { return (*g)(z, labels_of(z)); }};
  }
  const auto d = std::make_shared<models::ConditionalDiscriminator>(spec);
  return {d, models::conditional_discriminator_map(spec), [d](const Var& x) {
            const models::ConditionalScores scores = d->scores(x, labels_of(x));
            if (!scores.classes.defined()) return scores.logits;
            return ops::concat({scores.logits, scores.classes}, 1);
          }};
}

// "vae16/gaussian/encode": the parts of the name.
Network vae_network(int image, const std::string& likelihood, const std::string& part) {
  const models::VaeOptions options{
      .image = image, .base = 3, .latent = 5, .likelihood = models::likelihood_named(likelihood)};
  const auto vae = std::make_shared<models::Vae>(options);
  const nn::ImportMap map = models::vae_map(options);
  if (part == "decode") return {vae, map, [vae](const Var& z) { return vae->decode(z); }};
  if (part == "likelihood") {
    return {vae, map,
            [vae](const Var& x) { return vae->log_likelihood(x, vae->decode(vae->encode(x).mu)); }};
  }
  if (part.starts_with("dis")) {
    const models::VaeGanOptions gan{.weight = 1, .feature_layer = std::stoi(part.substr(3))};
    const auto d = std::make_shared<models::VaeGanDiscriminator>(options, gan);
    return {d, models::vae_gan_discriminator_map(options, gan),
            [d](const Var& x) { return (*d)(x); }};
  }
  check(part == "encode", "interop", "'", part, "' is no part of a VAE");
  return {vae, map, [vae](const Var& x) {
            const models::Posterior q = vae->encode(x);
            return ops::concat({q.mu, q.log_variance}, 1);
          }};
}

// "translation32/inpaint/g": the parts of the name.
Network translation_network(int image, const std::string& task, const std::string& part) {
  const models::TranslationSpec spec{
      .task = models::translation_task(task), .image = image, .base = 3};
  if (part == "g") {
    const auto g = std::make_shared<models::Translator>(spec);
    return {g, models::translator_map(spec), [g](const Var& x) { return (*g)(x); }};
  }
  models::TranslationGan gan = models::make_translation_gan(spec);
  if (part == "global") return one_way(std::move(gan.global), models::global_critic_map(spec));
  check(part == "local", "interop", "'", part, "' is no part of a translation GAN");
  return one_way(std::move(gan.local), models::local_critic_map(spec));
}

Network recogniser() {
  const auto net = std::make_shared<models::FaceFeatures>(std::vector<models::FaceAttribute>{
      {"glasses", {"none", "clear", "dark"}}, {"beard", {"no", "yes"}}});
  return {net, models::face_features_map(), [net](const Var& x) {
            const Var embedding = (*net)(x);
            return ops::concat({embedding, net->attribute_logits(embedding)}, 1);
          }};
}

// The classifier of seed 003: images (N, 64, 64, 3) -> logits (N, 1).
Network seed_classifier() {
  nn::Sequential net = models::face_cnn({.network = "seed003"});
  net.add(nn::Linear({.in = 128, .out = 1}));
  return one_way(std::move(net), models::seed003_cnn_map());
}

// "face_cnn/vgg/32": the parts of the name.
Network face_network(const std::string& network, int image) {
  const models::FaceCnnOptions options{
      .network = network, .image = image, .base = 3, .dimensions = 5};
  return one_way(models::face_cnn(options), models::face_cnn_map(options));
}

// The number after `word`, which `text` starts with.
int size_after(const std::string& word, const std::string& text) {
  return std::stoi(text.substr(word.size()));
}

Network make_network(const std::string& name) {
  if (name == "seed003_cnn") return seed_classifier();
  if (name == "spectral") return spectral_network();
  if (name == "face_features") return recogniser();
  const auto first = name.find('/'), last = name.rfind('/');
  check(last != std::string::npos, "interop", "'", name, "' is no network");
  const std::string model = name.substr(0, first), part = name.substr(last + 1);
  if (model == "face_cnn" && first != last) {
    return face_network(name.substr(first + 1, last - first - 1), std::stoi(part));
  }
  if (model.starts_with("vae") && first != last) {
    return vae_network(size_after("vae", model), name.substr(first + 1, last - first - 1), part);
  }
  if (model.starts_with("translation") && first != last) {
    return translation_network(size_after("translation", model),
                               name.substr(first + 1, last - first - 1), part);
  }
  for (const std::string conditioning : {"projection", "acgan"}) {
    if (!model.starts_with(conditioning)) continue;
    return conditional_network(conditioning, size_after(conditioning, model), part);
  }
  models::GanSpec spec{model, 64};
  if (first != last) spec.base = std::stoi(name.substr(first + 1, last - first - 1));
  models::Gan gan = models::make_gan(spec);
  if (part == "g") return one_way(std::move(gan.generator), models::generator_map(spec));
  return one_way(std::move(gan.discriminator), models::discriminator_map(spec));
}

void run(const Network& network, const std::string& in, const std::string& out) {
  const NoGrad no_grad;
  const nn::Evaluating mode(*network.module);
  save_npy(out, network.compute(load_npy(in)).tensor());
}

// Batch norms that do something: statistics and affine weights unlike those of a fresh layer.
void stir(nn::Module& network) {
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
        const Network network = make_network(a[0]);
        nn::load_pytorch(*network.module, network.map, a[1]);
        run(network, a[2], a[3]);
      }}},
    {"export",
     {5,
      [](const Arguments& a) {
        manual_seed(std::stoull(a[1]));
        const Network network = make_network(a[0]);
        stir(*network.module);
        nn::save_pytorch(*network.module, network.map, a[2]);
        run(network, a[3], a[4]);
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
