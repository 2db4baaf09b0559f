#include <doctest/doctest.h>

#include <cmath>

#include "kernels/elementwise/elementwise.h"
#include "kernels/random/random.h"
#include "models/gan_trainer.h"
#include "models/metrics.h"
#include "nn/gan_loss.h"
#include "tests/kernels/random.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

GanTrainer small(GanLoss loss = GanLoss::nonsaturating, const std::string& model = "dcgan16") {
  manual_seed(5);
  return GanTrainer(make_gan({model, model == "seed001" ? 64 : 4}),
                    {.loss = loss, .ema = 0.9, .seed = 5});
}

Tensor batch(std::uint32_t step, int image = 16) {
  return kernels::uniform({4, image, image, 3}, DType::f32, {77, step, 0});
}

// Saves a checkpoint at `path` and returns that.
fs::path saved(const GanTrainer& trainer, const fs::path& path) {
  save_safetensors(path, trainer.state(), trainer.metadata());
  return path;
}

void check_resume(const std::string& model, int image) {
  const TemporaryFolder folder;
  GanTrainer whole = small(GanLoss::nonsaturating, model);
  for (std::uint32_t s = 1; s <= 5; ++s) whole.step(batch(s, image));

  GanTrainer first = small(GanLoss::nonsaturating, model);
  for (std::uint32_t s = 1; s <= 2; ++s) first.step(batch(s, image));
  const fs::path half = saved(first, folder / "half.safetensors");
  GanTrainer second = small(GanLoss::nonsaturating, model);
  second.step(batch(9, image));  // whatever was there before is replaced
  second.load(load_safetensors(half));
  CHECK(second.steps_done() == 2);
  for (std::uint32_t s = 3; s <= 5; ++s) second.step(batch(s, image));

  const fs::path a = saved(whole, folder / "a.safetensors");
  const fs::path b = saved(second, folder / "b.safetensors");
  CHECK(read_bytes(a) == read_bytes(b));
  CHECK(read_bytes(a) != read_bytes(half));
}

}  // namespace

TEST_CASE("N steps, save, load and M steps equal N + M steps byte for byte") {
  check_resume("dcgan16", 16);
}

#if !IMAGO_EMULATED  // minutes of emulation; the builds for the CPU and for a GPU have it
TEST_CASE("models with spectral norm resume byte for byte") {
  check_resume("sndcgan32", 32);
  check_resume("resnet32", 32);
}

TEST_CASE("seed001, which draws dropout masks too, resumes byte for byte") {
  check_resume("seed001", 32);
}
#endif

#if IMAGO_WITH_DEVICE
TEST_CASE("a checkpoint made on one device resumes on the other") {
  const TemporaryFolder folder;
  const ContextScope scope;
  const Device devices[] = {Device::cpu(), Device::cuda()};
  for (const Device from : devices) {
    CAPTURE(from);
    Context::current().device = from;
    GanTrainer first = small();
    for (std::uint32_t s = 1; s <= 2; ++s) first.step(batch(s));
    const fs::path half = saved(first, folder / "half.safetensors");

    Context::current().device = from.is_cpu() ? Device::cuda() : Device::cpu();
    GanTrainer second = small();
    second.load(load_safetensors(half));
    CHECK(read_bytes(saved(second, folder / "again.safetensors")) == read_bytes(half));
    for (const auto& [name, tensor] : second.gan().generator.state_dict()) {
      CHECK(tensor.device() == Context::current().device);
    }
    // The step after: the same random numbers, and sums that differ by their order alone.
    second.step(batch(3));
    Context::current().device = from;
    first.step(batch(3));
    for (const auto& [name, tensor] : first.state()) {
      CAPTURE(name);
      if (tensor.dtype() == DType::i64) {
        CHECK(same_bits(second.state().at(name), tensor));
      } else {
        CHECK(largest_error(second.state().at(name), tensor) <= 1e-5 * (1 + largest(tensor)));
      }
    }
  }
}
#endif

TEST_CASE("the number of threads does not change a bit of training") {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  std::vector<NamedTensors> states;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    GanTrainer trainer = small();
    for (std::uint32_t s = 1; s <= 3; ++s) trainer.step(batch(s));
    states.push_back(trainer.state());
  }
  for (const auto& [name, tensor] : states[0]) {
    INFO(name);
    CHECK(same_bits(tensor, states[1].at(name)));
    CHECK(same_bits(tensor, states[2].at(name)));
  }
}

TEST_CASE("D is moved by D's loss only and G by G's loss only") {
  // With lr 0 nothing moves, and what a step leaves behind are the gradients it used.
  manual_seed(5);
  GanTrainer trainer(make_gan({"dcgan16", 4}), {.lr = 0, .seed = 5});
  Gan twin = load_gan({"twin", trainer.state(), trainer.metadata()});
  const Tensor real = batch(1), z = kernels::normal({4, 100}, DType::f32, {8, 0, 0});
  trainer.step(real, z);

  nn::Sequential& G = twin.generator;
  nn::Sequential& D = twin.discriminator;
  loss::gan_d(D(real), D(G(z).detach())).backward();
  const auto same_gradients = [](const nn::Sequential& a, const nn::Sequential& b) {
    const Vars x = a.parameters(), y = b.parameters();
    bool same = true;
    for (std::size_t i = 0; i < x.size(); ++i) {
      same = same && same_bits(x[i].grad().tensor(), y[i].grad().tensor());
    }
    return same;
  };
  CHECK(same_gradients(trainer.gan().discriminator, D));
  for (const Var& p : G.parameters()) CHECK_FALSE(p.grad().defined());
  loss::gan_g(D(G(z))).backward();  // not frozen: adds to D's gradients, which changes them
  CHECK(same_gradients(trainer.gan().generator, G));
  CHECK_FALSE(same_gradients(trainer.gan().discriminator, D));
  for (const Var& p : trainer.gan().discriminator.parameters()) CHECK(p.requires_grad());
}

TEST_CASE("D learns to tell a constant image from fakes, with either loss of the first GAN") {
  for (const GanLoss loss : {GanLoss::nonsaturating, GanLoss::minimax}) {
    GanTrainer trainer = small(loss);
    const Tensor white = Tensor::full({4, 16, 16, 3}, 1.0);
    const double before = trainer.step(white).loss_d.item();
    double after = 0;
    for (int i = 0; i < 20; ++i) after = trainer.step(white).loss_d.item();
    CHECK(after < before);
    CHECK(std::isfinite(after));
  }
}

TEST_CASE("a checkpoint of another model or seed is refused by name") {
  GanTrainer trainer = small();
  trainer.step(batch(1));
  SafetensorsFile file{"x.safetensors", trainer.state(), trainer.metadata()};
  GanTrainer wider(make_gan({"dcgan16", 8}), {.seed = 5});
  CHECK_THROWS_WITH_AS(wider.load(file), doctest::Contains("base 4"), Error);
  GanTrainer other(make_gan({"dcgan16", 4}), {.ema = 0.9, .seed = 6});
  CHECK_THROWS_WITH_AS(other.load(file), doctest::Contains("seed 5"), Error);
  GanTrainer minimax(make_gan({"dcgan16", 4}), {.loss = GanLoss::minimax, .ema = 0.9, .seed = 5});
  CHECK_THROWS_WITH_AS(minimax.load(file), doctest::Contains("loss nonsaturating"), Error);
  GanTrainer plain(make_gan({"dcgan16", 4}), {.seed = 5});
  CHECK_THROWS_WITH_AS(plain.load(file), doctest::Contains("ema 0.9"), Error);
  file.metadata.erase("format");
  CHECK_THROWS_WITH_AS(gan_spec_of(file), doctest::Contains("not a GAN checkpoint"), Error);
}

TEST_CASE(
    "sliced Wasserstein distance: zero to itself, the shift to a shifted set, blind to order") {
  const Tensor x = kernels::normal({64, 4, 4, 3}, DType::f32, {1, 0, 0});
  Tensor reversed = Tensor::empty_like(x);
  for (std::int64_t i = 0; i < 64; ++i) reversed.slice(i, i + 1).copy_from(x.slice(63 - i, 64 - i));
  CHECK(sliced_wasserstein(x, reversed) == 0);
  // A constant shift s moves each projection by s <d, 1>; E|<d, 1>| is about sqrt(2 / pi).
  const Tensor shifted = kernels::add_scalar(x, 0.5);
  const double expected = 0.5 * std::sqrt(2 / M_PI);
  CHECK(std::abs(sliced_wasserstein(x, shifted, 2000) / expected - 1) < 0.05);
  CHECK_THROWS_AS(sliced_wasserstein(x, x.slice(0, 3)), Error);
}

TEST_CASE("mean pairwise distance: zero for one picture, root two for independent unit normals") {
  CHECK(mean_pairwise_distance(Tensor::full({5, 3, 3, 3}, 0.3)) == 0);
  const Tensor x = kernels::normal({40, 20, 20, 3}, DType::f32, {1, 0, 0});
  CHECK(std::abs(mean_pairwise_distance(x) - std::sqrt(2.0)) < 0.02);
}
