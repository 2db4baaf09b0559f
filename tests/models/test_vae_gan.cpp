// VAE-GANs: three networks, each with the gradients of its own loss and of no other; checkpoints;
// what does not go together. tests/models/test_golden_vae_gan.cpp has the values of PyTorch.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "autograd/ops/add.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/concat.h"
#include "autograd/ops/scale.h"
#include "autograd/random.h"
#include "kernels/random/random.h"
#include "models/import_maps.h"
#include "models/vae_gan_trainer.h"
#include "nn/loss.h"
#include "nn/vae_loss.h"
#include "tests/kernels/random.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

// Its plain part alone would go on as another model.
static_assert(!std::is_constructible_v<VaeTrainer, VaeGanTrainer>);
static_assert(!std::is_assignable_v<VaeTrainer&, VaeGanTrainer>);
static_assert(!std::is_move_constructible_v<VaeTrainer>);

namespace {

constexpr std::int64_t images_in_batch = 4;

VaeOptions tiny(Likelihood likelihood = Likelihood::gaussian_learned, int image = 16) {
  return {.image = image, .base = 2, .latent = 3, .likelihood = likelihood};
}

VaeGanTrainer small(const VaeGanOptions& gan = {.weight = 5},
                    const VaeTrainerOptions& options = {.lr = 0.01, .kl_warmup = 3, .seed = 5},
                    const VaeOptions& model = tiny()) {
  manual_seed(5);
  return VaeGanTrainer(Vae(model), gan, options);
}

// Weights stay as they are, and so do gradients after a step.
VaeTrainerOptions still(double kl_weight = 1) {
  return {.lr = 0, .kl_weight = kl_weight, .seed = 5};
}

Tensor batch(std::uint32_t step) {
  const Tensor u = kernels::uniform({images_in_batch, 16, 16, 3}, DType::f32, {77, step, 0});
  return ops::add_scalar(ops::scale(u, 2), -1).tensor();
}

Tensor noise() {
  return kernels::normal({2 * images_in_batch, 3}, DType::f32, {78, 0, 0});
}

// Of a module's parameters, in memory of their own.
NamedTensors gradients_of(const nn::Module& module) {
  NamedTensors all;
  for (const auto& [name, p] : module.named_parameters()) {
    INFO(name);
    REQUIRE(p.grad().defined());
    all[name] = p.grad().tensor().clone();
  }
  return all;
}

struct Gradients {
  NamedTensors encoder, decoder, sigma, discriminator;
};

// Those of one step on the same images and noise.
Gradients gradients_with(const VaeGanOptions& gan, const VaeTrainerOptions& options = still()) {
  VaeGanTrainer trainer = small(gan, options);
  trainer.step(batch(1), noise());
  Gradients g;
  for (const auto& [name, tensor] : gradients_of(trainer.vae())) {
    const bool of_decoder = name.starts_with("decoder.");
    (of_decoder ? g.decoder : name.starts_with("pixels.") ? g.sigma : g.encoder)[name] = tensor;
  }
  g.discriminator = gradients_of(trainer.discriminator());
  CHECK(g.encoder.size() == 8);  // two convolutions and two heads
  CHECK(g.decoder.size() == 6);
  CHECK(g.sigma.size() == 1);
  return g;
}

// How many of the tensors differ in a bit.
int differing(const NamedTensors& a, const NamedTensors& b) {
  REQUIRE(a.size() == b.size());
  int count = 0;
  for (const auto& [name, tensor] : a) count += same_bits(tensor, b.at(name)) ? 0 : 1;
  return count;
}

fs::path saved(const VaeTrainer& trainer, const fs::path& path) {
  save_safetensors(path, trainer.state(), trainer.metadata());
  return path;
}

double softplus(double x) {
  return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
}

// The mean of softplus(sign * score).
double mean_softplus(double sign, const Var& scores) {
  const Tensor host = to_f64(scores.tensor());
  double sum = 0;
  for (std::int64_t i = 0; i < host.numel(); ++i) sum += softplus(sign * host.data<double>()[i]);
  return sum / static_cast<double>(host.numel());
}

}  // namespace

TEST_CASE("VAE-GAN: features have the shape of their layer, and each image is seen by itself") {
  for (const int image : {16, 32, 64}) {
    const int last = image == 16 ? 2 : image == 32 ? 3 : 4;
    for (int layer = 0; layer <= last; ++layer) {
      CAPTURE(image);
      CAPTURE(layer);
      manual_seed(1);
      VaeGanDiscriminator d(tiny(Likelihood::gaussian, image),
                            {.weight = 1, .feature_layer = layer});
      const int l = layer == 0 ? last : layer;
      CHECK(d.feature_layer() == l);
      const NoGrad no_grad;
      const Tensor x = kernels::uniform({3, image, image, 3}, DType::f32, {3, 0, 0});
      const Var features = d.features(x);
      CHECK(features.shape() == Shape{3, image >> l, image >> l, 2 << (l - 1)});
      const Tensor scores = d(x).tensor();
      CHECK(scores.shape() == Shape{3, 1});
      CHECK(same_bits(scores, d.logits(features).tensor()));
      const Tensor alone = d(x.slice(1, 2)).tensor();
      CHECK(largest_error(scores.slice(1, 2), alone) <= 1e-5 * (1 + largest(scores)));
    }
  }
  // Convolutions 3 -> 2 -> 4 -> 1, biases of the first and the last, scale and shift of one norm:
  // the same weights wherever the features are taken.
  for (const int layer : {1, 2}) {
    CHECK(VaeGanDiscriminator(tiny(), {.weight = 1, .feature_layer = layer}).num_parameters() ==
          16 * (3 * 2 + 2 * 4 + 4) + 2 + 1 + 2 * 4);
  }
}

TEST_CASE("VAE-GAN: the GAN's loss moves the decoder and neither the encoder nor sigma") {
  const Gradients little = gradients_with({.weight = 1}), much = gradients_with({.weight = 1000});
  CHECK(differing(little.encoder, much.encoder) == 0);
  CHECK(differing(little.sigma, much.sigma) == 0);
  CHECK(differing(little.discriminator, much.discriminator) == 0);
  CHECK(differing(little.decoder, much.decoder) == 6);
  // Not because there are none.
  for (const NamedTensors& some : {little.encoder, little.sigma, little.discriminator}) {
    for (const auto& [name, tensor] : some) {
      INFO(name);
      CHECK(largest(tensor) > 0);
    }
  }
}

TEST_CASE("VAE-GAN: the KL moves the encoder alone") {
  const Gradients none = gradients_with({.weight = 5}, still(0));
  const Gradients much = gradients_with({.weight = 5}, still(50));
  CHECK(differing(none.decoder, much.decoder) == 0);
  CHECK(differing(none.sigma, much.sigma) == 0);
  CHECK(differing(none.discriminator, much.discriminator) == 0);
  CHECK(differing(none.encoder, much.encoder) == 8);
}

TEST_CASE("VAE-GAN: the discriminator has the gradients of its loss, with no reconstruction near") {
  VaeGanTrainer trainer = small({.weight = 5}, still());
  const VaeStep step = trainer.step(batch(1), noise());
  const NamedTensors got = gradients_of(trainer.discriminator());

  VaeGanDiscriminator& d = trainer.discriminator();
  const Posterior q = trainer.vae().encode(batch(1));
  const Var z = loss::reparameterise(q.mu, q.log_variance, noise().slice(0, images_in_batch));
  const Var drawn = noise().slice(images_in_batch, 2 * images_in_batch);
  const Var fakes = trainer.vae().decode(ops::concat({z.detach(), drawn})).detach();
  d.zero_grad();
  const Var real = loss::bce_with_logits(d(batch(1)), 1);
  const Var fake = ops::scale(loss::bce_with_logits(d(fakes), 0), 2);
  const Var loss_d = ops::add(real, fake);
  loss_d.backward();
  CHECK(differing(got, gradients_of(d)) == 0);
  CHECK(same_bits(loss_d.tensor(), step.adversary.loss_d.tensor()));
  for (const auto& [name, p] : d.named_parameters()) CHECK(p.requires_grad());
}

TEST_CASE("VAE-GAN: losses are sums of their terms, and pulls are those of the decoder's loss") {
  VaeGanTrainer trainer = small({.weight = 2}, still(3));
  const VaeStep s = trainer.step(batch(1), noise());
  const VaeAdversary& a = s.adversary;
  CHECK(a.logits_reconstructed.shape() == Shape{images_in_batch, 1});
  const double loss_d = mean_softplus(-1, a.logits_real) +
                        mean_softplus(1, a.logits_reconstructed) + mean_softplus(1, a.logits_drawn);
  CHECK(std::abs(a.loss_d.item() - loss_d) <= 1e-5 * loss_d);
  const double loss_gan =
      mean_softplus(-1, a.logits_reconstructed) + mean_softplus(-1, a.logits_drawn);
  CHECK(std::abs(a.loss_gan.item() - loss_gan) <= 1e-5 * loss_gan);
  const double loss = s.reconstruction.item() + 3 * s.kl.item() + 2 * loss_gan;
  CHECK(std::abs(s.loss.item() - loss) <= 1e-5 * std::abs(loss));

  CHECK(a.pull_features.item() > 0);
  CHECK(a.pull_gan.item() > 0);
  VaeGanTrainer harder = small({.weight = 8}, still(3));
  const VaeAdversary b = harder.step(batch(1), noise()).adversary;
  CHECK(same_bits(b.pull_features.tensor(), a.pull_features.tensor()));
  CHECK(std::abs(b.pull_gan.item() - 4 * a.pull_gan.item()) <= 1e-5 * b.pull_gan.item());
}

TEST_CASE("VAE-GAN: the VAE starts as the plain one of the seed, and noise is draw 0 of the step") {
  manual_seed(5);
  const VaeTrainer plain(Vae(tiny()), {.lr = 0.01, .kl_warmup = 3, .seed = 5});
  VaeGanTrainer drawn = small(), given = small();
  CHECK(differing(entries_under(plain.state(), "vae"), entries_under(drawn.state(), "vae")) == 0);
  drawn.step(batch(1));
  given.step(batch(1), kernels::normal({2 * images_in_batch, 3}, DType::f32, {5, 1, 0}));
  CHECK(differing(drawn.state(), given.state()) == 0);
}

TEST_CASE("VAE-GAN: N steps, save, load and M steps equal N + M steps byte for byte") {
  const TemporaryFolder folder;
  VaeGanTrainer whole = small();
  NamedTensors before;
  for (const auto& [name, tensor] : whole.discriminator().state_dict()) {
    before[name] = tensor.clone();
  }
  for (std::uint32_t s = 1; s <= 5; ++s) {
    const VaeStep step = whole.step(batch(s));
    CHECK(std::isfinite(step.loss.item() + step.adversary.loss_d.item()));
  }
  // Nothing stands still.
  CHECK(differing(before, whole.discriminator().state_dict()) == static_cast<int>(before.size()));

  VaeGanTrainer first = small();
  for (std::uint32_t s = 1; s <= 2; ++s) first.step(batch(s));
  const fs::path half = saved(first, folder / "half.safetensors");
  VaeGanTrainer second = small();
  second.step(batch(9));  // whatever was there before is replaced
  second.load(load_safetensors(half));
  CHECK(second.steps_done() == 2);
  for (std::uint32_t s = 3; s <= 5; ++s) second.step(batch(s));
  const std::string bytes = read_bytes(saved(whole, folder / "a.safetensors"));
  CHECK(bytes == read_bytes(saved(second, folder / "b.safetensors")));
  CHECK(bytes != read_bytes(half));

  // Who draws from the file needs the VAE alone.
  Vae loaded = load_vae(load_safetensors(folder / "a.safetensors"));
  CHECK(loaded.options() == tiny());
  const Tensor z = kernels::normal({2, 3}, DType::f32, {1, 0, 0});
  CHECK(same_bits(loaded.generate(z), whole.vae().generate(z)));
}

TEST_CASE("VAE-GAN: the number of threads does not change a bit of training") {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  std::vector<NamedTensors> states;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    VaeGanTrainer trainer = small();
    for (std::uint32_t s = 1; s <= 3; ++s) trainer.step(batch(s));
    states.push_back(trainer.state());
  }
  CHECK(differing(states[0], states[1]) == 0);
  CHECK(differing(states[0], states[2]) == 0);
}

TEST_CASE("a VAE-GAN's checkpoint is refused by name where it does not fit") {
  VaeGanTrainer trainer = small();
  trainer.step(batch(1));
  const SafetensorsFile file{"x.safetensors", trainer.state(), trainer.metadata()};
  const VaeTrainerOptions same{.lr = 0.01, .kl_warmup = 3, .seed = 5};
  manual_seed(5);
  VaeTrainer plain(Vae(tiny()), same);
  CHECK_THROWS_WITH_AS(plain.load(file), doctest::Contains("adversarial 5, not 0"), Error);
  const SafetensorsFile of_plain{"p.safetensors", plain.state(), plain.metadata()};
  CHECK_THROWS_WITH_AS(trainer.load(of_plain), doctest::Contains("adversarial 0, not 5"), Error);
  CHECK_THROWS_WITH_AS(small({.weight = 6}).load(file), doctest::Contains("adversarial 5, not 6"),
                       Error);
  CHECK_THROWS_WITH_AS(small({.weight = 5, .feature_layer = 1}).load(file),
                       doctest::Contains("feature_layer 2, not 1"), Error);
  small({.weight = 5, .feature_layer = 2}).load(file);  // the last by its number
}

TEST_CASE("VAE-GANs that cannot be are named") {
  CHECK_THROWS_WITH_AS(small({.weight = 5}, {}, tiny(Likelihood::bernoulli)),
                       doctest::Contains("gaussian or gaussian-learned"), Error);
  CHECK_THROWS_WITH_AS(small({.weight = 0}), doctest::Contains("above 0, not 0"), Error);
  CHECK_THROWS_AS(small({.weight = std::nan("")}), Error);
  CHECK_THROWS_WITH_AS(small({.weight = 5, .feature_layer = 3}), doctest::Contains("1 to 2, not 3"),
                       Error);
  VaeGanTrainer trainer = small();
  CHECK_THROWS_WITH_AS(trainer.discriminator()(Tensor::zeros({2, 32, 32, 3})),
                       doctest::Contains("(N, 16, 16, 3)"), Error);
  CHECK_THROWS_WITH_AS(trainer.step(batch(1), noise().slice(0, images_in_batch)),
                       doctest::Contains("needs noise (8, 3)"), Error);
  trainer.step(batch(1));  // goes on
}

TEST_CASE("a VAE-GAN discriminator's import map names each of its tensors") {
  for (const int layer : {1, 2, 3}) {
    CAPTURE(layer);
    const VaeOptions vae = tiny(Likelihood::gaussian, 32);
    const VaeGanOptions gan{.weight = 1, .feature_layer = layer};
    manual_seed(1);
    VaeGanDiscriminator from(vae, gan);
    manual_seed(2);
    VaeGanDiscriminator to(vae, gan);
    const nn::ImportMap map = vae_gan_discriminator_map(vae, gan, "dis");
    const NamedTensors theirs = nn::to_pytorch(from, map);
    REQUIRE(theirs.size() == from.state_dict().size());
    CHECK(theirs.at("dis.features.0.weight").shape() == Shape{2, 3, 4, 4});
    if (layer >= 2) CHECK(theirs.at("dis.features.3.weight").shape() == Shape{4});
    if (layer == 1) CHECK(theirs.at("dis.head.6.weight").shape() == Shape{1, 8, 4, 4});
    if (layer == 2) CHECK(theirs.at("dis.head.3.weight").shape() == Shape{1, 8, 4, 4});
    if (layer == 3) CHECK(theirs.at("dis.head.0.weight").shape() == Shape{1, 8, 4, 4});
    nn::load_pytorch(to, map, theirs);
    CHECK(differing(from.state_dict(), to.state_dict()) == 0);
  }
}
