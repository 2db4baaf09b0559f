#include "models/conditional_gan.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/gradcheck.h"
#include "kernels/random/random.h"
#include "models/conditional_gan_trainer.h"
#include "nn/init.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

constexpr Conditioning both[] = {Conditioning::projection, Conditioning::acgan};

// On the device of the Context.
Tensor labels_of(std::initializer_list<std::int64_t> values) {
  Tensor labels =
      Tensor::empty({static_cast<std::int64_t>(values.size())}, DType::i64, Device::cpu());
  std::copy(values.begin(), values.end(), labels.mutable_data<std::int64_t>());
  return labels.to(Context::current().device);
}

ConditionalGanSpec small(Conditioning conditioning) {
  return {.classes = 3, .conditioning = conditioning, .image = 8, .base = 2, .z = 4};
}

ConditionalGanTrainer trainer_of(Conditioning conditioning,
                                 const ConditionalGanTrainerOptions& options = {.ema = 0.9,
                                                                                .seed = 5}) {
  manual_seed(5);
  return ConditionalGanTrainer(make_conditional_gan(small(conditioning)), options);
}

Tensor batch(std::uint32_t step) {
  return kernels::uniform({4, 8, 8, 3}, DType::f32, {77, step, 0});
}
Tensor classes(std::uint32_t step) {
  return step % 2 ? labels_of({0, 1, 2, 0}) : labels_of({2, 2, 1, 0});
}

void steps(ConditionalGanTrainer& trainer, std::uint32_t first, std::uint32_t last) {
  for (std::uint32_t s = first; s <= last; ++s) trainer.step(batch(s), classes(s));
}

fs::path saved(const ConditionalGanTrainer& trainer, const fs::path& path) {
  save_safetensors(path, trainer.state(), trainer.metadata());
  return path;
}

Vars leaves_of(const nn::Module& module, const Var& x) {
  Vars leaves = module.parameters();
  leaves.push_back(x);
  return leaves;
}

}  // namespace

TEST_CASE("conditional GANs have the parameters of their layers") {
  const ConditionalGanSpec spec{.classes = 5, .image = 16, .base = 3, .z = 7};
  const ConditionalGenerator generator(spec);
  // What the residual generator has, and gain and bias of 5 classes for each of four batch norms.
  const ResnetGanOptions resnet{.z = 7, .base = 3, .image = 16};
  CHECK(generator.num_parameters() ==
        resnet_generator(resnet).num_parameters() + 2 * 5 * (6 + 6 + 6 + 3));
  const std::int64_t plain = resnet_discriminator(resnet).num_parameters();
  CHECK(ConditionalDiscriminator(spec).num_parameters() == plain + 5 * 6);
  ConditionalGanSpec acgan = spec;
  acgan.conditioning = Conditioning::acgan;
  CHECK(ConditionalDiscriminator(acgan).num_parameters() == plain + 5 * 6 + 5);
}

TEST_CASE("conditional GANs: shapes at every size, images in [-1, 1]") {
  for (const int image : {8, 16, 32, 64, 128}) {
    for (const Conditioning conditioning : both) {
      CAPTURE(image);
      CAPTURE(name_of(conditioning));
      ConditionalGan gan = make_conditional_gan({.classes = 3,
                                                 .conditioning = conditioning,
                                                 .image = image,
                                                 .base = image < 128 ? 2 : 1});
      const NoGrad no_grad;
      const Tensor labels = labels_of({2, 0});
      const Var images = gan.generator(normals({2, 128}, DType::f32, 1), labels);
      REQUIRE(images.shape() == Shape{2, image, image, 3});
      CHECK(largest(images.tensor()) <= 1);
      const ConditionalScores scores = gan.discriminator.scores(images, labels);
      CHECK(scores.logits.shape() == Shape{2, 1});
      CHECK(scores.classes.defined() == (conditioning == Conditioning::acgan));
      if (scores.classes) CHECK(scores.classes.shape() == Shape{2, 3});
    }
  }
}

TEST_CASE("conditional GANs: the class changes the picture, and the logit of a projection alone") {
  manual_seed(2);
  for (const Conditioning conditioning : both) {
    CAPTURE(name_of(conditioning));
    ConditionalGan gan = make_conditional_gan(small(conditioning));
    const NoGrad no_grad;
    const nn::Evaluating a(gan.generator), b(gan.discriminator);
    const Tensor z = normals({2, 4}, DType::f32, 1);
    const auto draw = [&](const Tensor& labels) { return gan.generator(z, labels).tensor(); };
    const Tensor images = draw(labels_of({0, 1})), others = draw(labels_of({0, 2}));
    CHECK(same_bits(images.slice(0, 1), others.slice(0, 1)));
    CHECK(largest_error(images.slice(1, 2), others.slice(1, 2)) > 1e-4);
    const Tensor real = normals({2, 8, 8, 3}, DType::f32, 3);
    const Tensor one = gan.discriminator(real, labels_of({0, 1})).tensor();
    const Tensor two = gan.discriminator(real, labels_of({0, 2})).tensor();
    CHECK(same_bits(one.slice(0, 1), two.slice(0, 1)));
    CHECK(same_bits(one, two) == (conditioning == Conditioning::acgan));
  }
}

TEST_CASE("conditional networks pass gradcheck by their input and all parameters") {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  manual_seed(6);
  const Tensor labels = labels_of({1, 0, 1});
  ConditionalGenerator g(small(Conditioning::projection));
  g.to(DType::f64);
  const GradcheckResult of_g = gradcheck([&](const Vars& v) { return Vars{g(v.back(), labels)}; },
                                         leaves_of(g, parameter(normals({3, 4}, DType::f64, 1))));
  CHECK_MESSAGE(of_g.ok, of_g.message);
  for (const Conditioning conditioning : both) {
    CAPTURE(name_of(conditioning));
    ConditionalDiscriminator d(small(conditioning));
    // Biases of 0 leave patches of zeros on the kink of the next ReLU.
    for (const auto& [name, p] : d.named_parameters()) {
      if (name.ends_with("bias")) nn::fill_uniform(p, -0.2, 0.2);
    }
    d.to(DType::f64);
    d.eval();  // a training pass would move the vectors of spectral norm
    const Differentiable f = [&](const Vars& v) {
      const ConditionalScores scores = d.scores(v.back(), labels);
      return scores.classes ? Vars{scores.logits, scores.classes} : Vars{scores.logits};
    };
    const GradcheckResult of_d =
        gradcheck(f, leaves_of(d, parameter(normals({3, 8, 8, 3}, DType::f64, 2))));
    CHECK_MESSAGE(of_d.ok, of_d.message);
  }
}

TEST_CASE("conditional GANs: mistakes are named") {
  ConditionalGan gan = make_conditional_gan(small(Conditioning::projection));
  const Var z(normals({2, 4}, DType::f32, 1));
  CHECK(contains(error_of([&] { gan.generator.forward(z); }), "needs the class of each image"));
  CHECK(contains(error_of([&] {
                   gan.generator(z, labels_of({0, 1, 2}));
                 }),
                 "each of 2 images, (2,), not i64 (3,)"));
  CHECK(contains(error_of([&] { gan.generator(z, Tensor::zeros({2})); }), "not f32 (2,)"));
  CHECK(contains(error_of([&] { gan.generator(z, Tensor()); }), "there are none"));
  CHECK(contains(error_of([&] {
                   gan.discriminator.scores(z, labels_of({0, 1}));
                 }),
                 "expects images (N, H, W, 3), not (2, 4)"));
  CHECK(contains(error_of([] { make_conditional_gan({.image = 24}); }), "not 24"));
  CHECK(contains(error_of([] { make_conditional_gan({.classes = 0}); }), "classes, not 0"));
  CHECK(contains(error_of([] { conditioning_named("concat"); }), "not 'concat'"));
  CHECK(contains(error_of([] { conditional_loss_named("lsgan"); }), "not 'lsgan'"));
  for (const ConditionalLoss l : {ConditionalLoss::hinge, ConditionalLoss::nonsaturating}) {
    CHECK(conditional_loss_named(name_of(l)) == l);
  }
  for (const Conditioning c : both) CHECK(conditioning_named(name_of(c)) == c);
  {
    const ContextScope scope;
    Context::current().device = Device::cpu();
    ConditionalGan on_cpu = make_conditional_gan(small(Conditioning::projection));
    CHECK_THROWS_AS(on_cpu.generator(z.tensor().to(Device::cpu()), labels_of({0, 3})), Error);
  }
}

TEST_CASE("conditional GANs: a step tells the loss of real and fake apart from that of classes") {
  ConditionalGanTrainer plain = trainer_of(Conditioning::projection);
  const ConditionalGanStep p = plain.step(batch(1), classes(1));
  CHECK(p.real_fake_d.item() == p.loss_d.item());
  CHECK(p.real_fake_g.item() == p.loss_g.item());
  for (const bool fakes : {false, true}) {
    ConditionalGanTrainer trainer =
        trainer_of(Conditioning::acgan, {.class_weight = 3, .classify_fakes = fakes, .seed = 5});
    const ConditionalGanStep s = trainer.step(batch(1), classes(1));
    CHECK(s.real_fake_g.item() + 3 * s.class_fake.item() ==
          doctest::Approx(s.loss_g.item()).epsilon(1e-5));
    const double rest = s.loss_d.item() - s.real_fake_d.item() - 3 * s.class_real.item();
    if (fakes) CHECK(rest > 0.1);  // the cross-entropy of three classes, three times
    if (!fakes) CHECK(std::abs(rest) <= 1e-4);
  }
}

TEST_CASE("conditional GANs: N steps, save, load and M steps equal N + M steps byte for byte") {
  for (const Conditioning conditioning : both) {
    CAPTURE(name_of(conditioning));
    const TemporaryFolder folder;
    ConditionalGanTrainer whole = trainer_of(conditioning), first = trainer_of(conditioning);
    steps(whole, 1, 5);
    steps(first, 1, 2);
    const fs::path half = saved(first, folder / "half.safetensors");
    ConditionalGanTrainer second = trainer_of(conditioning);
    steps(second, 9, 9);  // whatever was there before is replaced
    second.load(load_safetensors(half));
    CHECK(second.steps_done() == 2);
    steps(second, 3, 5);
    const fs::path a = saved(whole, folder / "a.safetensors");
    const fs::path b = saved(second, folder / "b.safetensors");
    CHECK(read_bytes(a) == read_bytes(b));
    CHECK(read_bytes(a) != read_bytes(half));

    ConditionalGan loaded = load_conditional_gan(load_safetensors(a));
    CHECK(loaded.spec == small(conditioning));
    const Tensor z = normals({3, 4}, DType::f32, 4), labels = labels_of({0, 1, 2});
    loaded.generator.eval();
    const NoGrad no_grad;
    CHECK(same_bits(loaded.generator(z, labels).tensor(), whole.generate(z, labels)));
  }
}

TEST_CASE("conditional GANs: the number of threads does not change a bit of training") {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  std::vector<NamedTensors> states;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    ConditionalGanTrainer trainer = trainer_of(Conditioning::projection);
    steps(trainer, 1, 3);
    states.push_back(trainer.state());
  }
  for (const auto& [name, tensor] : states[0]) {
    INFO(name);
    CHECK(same_bits(tensor, states[1].at(name)));
    CHECK(same_bits(tensor, states[2].at(name)));
  }
}

TEST_CASE("conditional GANs: D is moved by its optimiser only and G by its own") {
  for (const bool moves_g : {false, true}) {
    CAPTURE(moves_g);
    ConditionalGanTrainer trainer = trainer_of(
        Conditioning::acgan, {.lr_g = moves_g ? 0.01 : 0.0, .lr_d = moves_g ? 0.0 : 0.01});
    const auto values = [](const nn::Module& module) {
      std::vector<Tensor> copies;
      for (const Var& p : module.parameters()) copies.push_back(p.tensor().clone());
      return copies;
    };
    const auto moved = [&](const nn::Module& module, const std::vector<Tensor>& before) {
      const std::vector<Tensor> after = values(module);
      int count = 0;
      for (std::size_t i = 0; i < after.size(); ++i) count += !same_bits(after[i], before[i]);
      return count;
    };
    ConditionalGan& gan = trainer.gan();
    const std::vector<Tensor> g = values(gan.generator), d = values(gan.discriminator);
    steps(trainer, 1, 1);
    CHECK((moved(gan.generator, g) > 0) == moves_g);
    CHECK((moved(gan.discriminator, d) > 0) == !moves_g);
    for (const Var& p : gan.discriminator.parameters()) CHECK(p.requires_grad());
  }
}

TEST_CASE("conditional GANs: a checkpoint of another model or other options is refused by name") {
  ConditionalGanTrainer trainer = trainer_of(Conditioning::acgan);
  steps(trainer, 1, 1);
  SafetensorsFile file{"x.safetensors", trainer.state(), trainer.metadata()};
  const auto refusal = [&](ConditionalGanTrainer other) {
    return error_of([&] { other.load(file); });
  };
  CHECK(refusal(trainer_of(Conditioning::acgan)).empty());
  CHECK(contains(refusal(trainer_of(Conditioning::projection)), "conditioning acgan"));
  CHECK(contains(refusal(trainer_of(Conditioning::acgan, {.ema = 0.9, .seed = 6})), "seed 5"));
  CHECK(contains(refusal(trainer_of(Conditioning::acgan, {.seed = 5})), "ema 0.9"));
  CHECK(
      contains(refusal(trainer_of(Conditioning::acgan, {.class_weight = 2, .ema = 0.9, .seed = 5})),
               "class_weight 1"));
  file.metadata["format"] = "imago-gan-1";
  const std::string other = refusal(trainer_of(Conditioning::acgan));
  CHECK(contains(other, "x.safetensors\" holds a GAN, written by train_gan, and is not"));
  CHECK(contains(other, "not a checkpoint of a conditional"));
}
