#include "models/vae.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops/add_scalar.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sum_to.h"
#include "autograd/random.h"
#include "kernels/random/random.h"
#include "models/gan_trainer.h"
#include "models/import_maps.h"
#include "models/latent_paths.h"
#include "models/vae_evaluation.h"
#include "models/vae_trainer.h"
#include "nn/vae_loss.h"
#include "tests/kernels/random.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

constexpr Likelihood likelihoods[] = {Likelihood::gaussian, Likelihood::gaussian_learned,
                                      Likelihood::bernoulli};

VaeOptions tiny(Likelihood likelihood = Likelihood::gaussian_learned) {
  return {.image = 16, .base = 2, .latent = 3, .likelihood = likelihood};
}

VaeTrainer small(const VaeTrainerOptions& options = {.lr = 0.01, .kl_warmup = 3, .seed = 5}) {
  manual_seed(5);
  return VaeTrainer(Vae(tiny()), options);
}

Tensor batch(std::uint32_t step) {
  const Tensor u = kernels::uniform({4, 16, 16, 3}, DType::f32, {77, step, 0});
  return ops::add_scalar(ops::scale(u, 2), -1).tensor();
}

fs::path saved(const VaeTrainer& trainer, const fs::path& path) {
  save_safetensors(path, trainer.state(), trainer.metadata());
  return path;
}

}  // namespace

TEST_CASE("the VAE of seed 003, mended: shapes at every size, and the parameters of its layers") {
  manual_seed(1);
  // Encoder 3 -> 32 -> 64 -> 128 -> 256, two heads, dense, decoder 256 -> 128 -> 64 -> 32 -> 3, all
  // with biases, and sigma.
  CHECK(Vae({.image = 64, .base = 32, .latent = 128}).num_parameters() ==
        16 * (3 * 32 + 32 * 64 + 64 * 128 + 128 * 256) + (32 + 64 + 128 + 256) +
            2 * (4096 * 128 + 128) + 128 * 4096 + 4096 +
            16 * (256 * 128 + 128 * 64 + 64 * 32 + 32 * 3) + (128 + 64 + 32 + 3) + 1);
  for (const int image : {16, 32, 64}) {
    for (const Likelihood likelihood : likelihoods) {
      CAPTURE(image);
      INFO(name_of(likelihood));
      Vae vae({.image = image, .base = 2, .latent = 5, .likelihood = likelihood});
      const NoGrad no_grad;
      const Tensor x = kernels::uniform({2, image, image, 3}, DType::f32, {3, 0, 0});
      const Posterior q = vae.encode(x);
      CHECK(q.mu.shape() == Shape{2, 5});
      CHECK(q.log_variance.shape() == Shape{2, 5});
      const Var decoded = vae.decode(q.mu);
      CHECK(decoded.shape() == Shape{2, image, image, 3});
      CHECK(vae.log_likelihood(x, decoded).shape() == Shape{2});
      CHECK(largest(vae(x).tensor()) <= 1);
      CHECK(same_bits(vae(x).tensor(), vae.generate(q.mu.tensor())));
      CHECK(vae.log_sigma().defined() == (likelihood != Likelihood::bernoulli));
      if (likelihood == Likelihood::gaussian) CHECK_FALSE(vae.log_sigma().requires_grad());
    }
  }
}

TEST_CASE("a fresh VAE's posterior is near the prior in scale, so that training starts calmly") {
  manual_seed(2);
  Vae vae({.image = 32, .base = 4, .latent = 8});
  const NoGrad no_grad;
  const Posterior q = vae.encode(randn({8, 32, 32, 3}));
  CHECK(largest(q.log_variance.tensor()) < 2);
  const double mu = std::sqrt(ops::mean(ops::square(q.mu)).item());
  CHECK(mu > 0.1);
  CHECK(mu < 10);
}

TEST_CASE("VAE: N steps, save, load and M steps equal N + M steps byte for byte") {
  const TemporaryFolder folder;
  VaeTrainer whole = small();
  for (std::uint32_t s = 1; s <= 5; ++s) whole.step(batch(s));
  VaeTrainer first = small();
  for (std::uint32_t s = 1; s <= 2; ++s) first.step(batch(s));
  const fs::path half = saved(first, folder / "half.safetensors");
  VaeTrainer second = small();
  second.step(batch(9));  // whatever was there before is replaced
  second.load(load_safetensors(half));
  CHECK(second.steps_done() == 2);
  for (std::uint32_t s = 3; s <= 5; ++s) second.step(batch(s));
  const std::string bytes = read_bytes(saved(whole, folder / "a.safetensors"));
  CHECK(bytes == read_bytes(saved(second, folder / "b.safetensors")));
  CHECK(bytes != read_bytes(half));

  Vae loaded = load_vae(load_safetensors(folder / "a.safetensors"));
  CHECK(loaded.options() == tiny());
  const Tensor z = kernels::normal({2, 3}, DType::f32, {1, 0, 0});
  CHECK(same_bits(loaded.generate(z), whole.vae().generate(z)));
}

TEST_CASE("VAE: what happens between steps changes nothing in them") {
  VaeTrainer plain = small(), looked_at = small();
  for (std::uint32_t s = 1; s <= 3; ++s) {
    plain.step(batch(s));
    looked_at.step(batch(s));
    evaluate_vae(looked_at.vae(), batch(50), {.samples = 2});
    randn({3});  // somebody else's draw
  }
  for (const auto& [name, tensor] : plain.state()) {
    INFO(name);
    CHECK(same_bits(tensor, looked_at.state().at(name)));
  }
}

TEST_CASE("VAE: the number of threads does not change a bit of training") {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  std::vector<NamedTensors> states;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    VaeTrainer trainer = small();
    for (std::uint32_t s = 1; s <= 3; ++s) trainer.step(batch(s));
    states.push_back(trainer.state());
  }
  for (const auto& [name, tensor] : states[0]) {
    INFO(name);
    CHECK(same_bits(tensor, states[1].at(name)));
    CHECK(same_bits(tensor, states[2].at(name)));
  }
}

TEST_CASE("VAE: the KL's weight grows over the warm-up, and the loss is made of its terms") {
  VaeTrainer trainer = small({.lr = 0, .kl_weight = 3, .kl_warmup = 4, .seed = 5});
  CHECK(trainer.kl_weight_at(1) == 0.75);
  CHECK(trainer.kl_weight_at(4) == 3);
  CHECK(trainer.kl_weight_at(1000) == 3);
  CHECK(small({.kl_weight = 2, .kl_warmup = 0}).kl_weight_at(1) == 2);
  for (std::uint32_t s = 1; s <= 5; ++s) {
    CHECK(trainer.warm() == (s > 4));
    const VaeStep r = trainer.step(batch(1));
    const double expected = r.reconstruction.item() + trainer.kl_weight_at(s) * r.kl.item();
    CHECK(std::abs(r.loss.item() - expected) <= 1e-5 * std::abs(expected));
  }
}

TEST_CASE("VAE: every likelihood learns a constant image") {
  for (const Likelihood likelihood : likelihoods) {
    INFO(name_of(likelihood));
    manual_seed(5);
    VaeTrainer trainer(Vae(tiny(likelihood)), {.lr = 0.01, .kl_warmup = 10});
    const Tensor white = Tensor::full({4, 16, 16, 3}, 1.0);
    const double before = trainer.step(white).reconstruction.item();
    double after = 0;
    for (int i = 0; i < 30; ++i) after = trainer.step(white).reconstruction.item();
    CHECK(std::isfinite(after));
    CHECK(after < before - 50);
  }
}

TEST_CASE("a VAE checkpoint is refused by name where it does not fit") {
  VaeTrainer trainer = small();
  trainer.step(batch(1));
  SafetensorsFile file{"x.safetensors", trainer.state(), trainer.metadata()};
  const auto refuses = [&](VaeTrainer other, const char* part) {
    CHECK_THROWS_WITH_AS(other.load(file), doctest::Contains(part), Error);
  };
  const VaeTrainerOptions same{.lr = 0.01, .kl_warmup = 3, .seed = 5};
  VaeOptions wider = tiny();
  wider.base = 4;
  refuses(VaeTrainer(Vae(wider), same), "base 2, not 4");
  refuses(VaeTrainer(Vae(tiny(Likelihood::bernoulli)), same), "likelihood gaussian-learned");
  refuses(small({.kl_warmup = 3, .seed = 6}), "seed 5");
  refuses(small({.kl_warmup = 4, .seed = 5}), "kl_warmup 3");
  refuses(small({.kl_weight = 2, .kl_warmup = 3, .seed = 5}), "beta 1");
  refuses(small({.kl_warmup = 3, .free_bits = 0.5, .seed = 5}), "free_bits 0");

  manual_seed(1);
  const GanTrainer gan(make_gan({"dcgan16", 4}), {});
  const SafetensorsFile of_gan{"g.safetensors", gan.state(), gan.metadata()};
  CHECK_FALSE(is_vae_checkpoint(of_gan));
  CHECK_THROWS_WITH_AS(trainer.load(of_gan), doctest::Contains("holds a GAN"), Error);
  CHECK_THROWS_WITH_AS(gan_spec_of(file), doctest::Contains("holds a VAE, written by train_vae"),
                       Error);
  file.metadata.erase("format");
  CHECK_THROWS_WITH_AS(load_vae(file), doctest::Contains("not a VAE checkpoint"), Error);
}

TEST_CASE("impossible VAEs and images of another size are named") {
  CHECK_THROWS_WITH_AS(Vae({.image = 48}), doctest::Contains("16, 32, 64 or 128"), Error);
  CHECK_THROWS_WITH_AS(Vae({.latent = 0}), doctest::Contains("latent"), Error);
  CHECK_THROWS_WITH_AS(Vae({.sigma = 0}), doctest::Contains("sigma"), Error);
  CHECK_THROWS_WITH_AS(likelihood_named("laplace"), doctest::Contains("laplace"), Error);
  Vae vae(tiny());
  CHECK_THROWS_WITH_AS(vae.encode(Tensor::zeros({2, 32, 32, 3})), doctest::Contains("16, 16, 3"),
                       Error);
  CHECK_THROWS_WITH_AS(vae.encode(Tensor::zeros({16, 16, 3})),
                       doctest::Contains("is the batch dimension missing?"), Error);
  CHECK_THROWS_WITH_AS(vae.decode(Tensor::zeros({2, 4})), doctest::Contains("z (N, 3)"), Error);
  CHECK_THROWS_AS(small({.kl_weight = -1}), Error);
  CHECK_THROWS_AS(small({.free_bits = std::nan("")}), Error);
}

TEST_CASE(
    "the VAE's import map names each of its tensors, and the way through PyTorch changes none") {
  for (const Likelihood likelihood : likelihoods) {
    INFO(name_of(likelihood));
    const VaeOptions options{.image = 32, .base = 2, .latent = 3, .likelihood = likelihood};
    manual_seed(1);
    Vae from(options);
    manual_seed(2);
    Vae to(options);
    const nn::ImportMap map = vae_map(options, "model");
    const NamedTensors theirs = nn::to_pytorch(from, map);
    REQUIRE(theirs.size() == from.state_dict().size());
    CHECK(theirs.at("model.encoder.4.weight").shape() == Shape{8, 4, 4, 4});
    CHECK(theirs.at("model.decoder.7.weight").shape() == Shape{2, 3, 4, 4});
    nn::load_pytorch(to, map, theirs);
    for (const auto& [name, tensor] : from.state_dict()) {
      CAPTURE(name);
      CHECK(same_bits(tensor, to.state_dict().at(name)));
    }
    // Row 0 of mu counts channels, height, width there, and height, width, channels here.
    const Tensor chw = theirs.at("model.mu.weight");
    const Tensor hwc = from.state_dict().at("mu.weight").to(Device::cpu());
    bool right = true;
    for (std::int64_t i = 0; i < 128; ++i) {
      right = right && chw.data<float>()[i] == hwc.data<float>()[i % 16 * 8 + i / 16];
    }
    CHECK(right);
  }
}

TEST_CASE("paths through a latent space start and end where they should") {
  const Tensor a = Tensor::from<float>({3, 0, 0}, {3}), b = Tensor::from<float>({0, 4, 0}, {3});
  const Tensor straight = to_f64(interpolate(a, b, 3, LatentPath::linear));
  const Tensor round = to_f64(interpolate(a, b, 3, LatentPath::spherical));
  REQUIRE(straight.shape() == Shape{3, 3});
  const auto row = [](const Tensor& t, std::int64_t i) { return t.data<double>() + 3 * i; };
  for (const Tensor& path : {straight, round}) {
    CHECK(largest_error(path.slice(0, 1).reshape({3}), to_f64(a)) < 1e-6);
    CHECK(largest_error(path.slice(2, 3).reshape({3}), to_f64(b)) < 1e-6);
  }
  CHECK(row(straight, 1)[0] == 1.5);
  CHECK(row(straight, 1)[1] == 2);
  // Half of the right angle between them, and of length 3.5.
  CHECK(std::abs(row(round, 1)[0] - 3.5 * std::sqrt(0.5)) < 1e-6);
  CHECK(std::abs(row(round, 1)[1] - 3.5 * std::sqrt(0.5)) < 1e-6);
  // No arc: parallel, opposite, and from nowhere.
  const Tensor none = Tensor::zeros({3}), back = Tensor::from<float>({-3, 0, 0}, {3});
  for (const Tensor& end : {a, back, none}) {
    CHECK(same_bits(interpolate(a, end, 4, LatentPath::spherical),
                    interpolate(a, end, 4, LatentPath::linear)));
  }
  const Tensor walk = to_f64(traverse(a, 2, -3, 3, 5));
  REQUIRE(walk.shape() == Shape{5, 3});
  for (int i = 0; i < 5; ++i) {
    CHECK(row(walk, i)[0] == 3);
    CHECK(row(walk, i)[2] == -3 + 1.5 * i);
  }
  CHECK_THROWS_AS(traverse(a, 3, -3, 3, 5), Error);
  CHECK_THROWS_AS(interpolate(a, Tensor::zeros({4}), 3, LatentPath::linear), Error);
}
