#include "models/translation.h"

#include <doctest/doctest.h>

#include "kernels/elementwise/compare.h"
#include "kernels/image/image.h"
#include "models/dcgan.h"
#include "models/import_maps.h"
#include "tests/kernels/random.h"
#include "translation_checks.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

TEST_CASE("translators: shapes of every task, and the parameters of their layers") {
  manual_seed(1);
  // Channels 2, 4, 8: first, two halvings, the middle, two doublings beside the encoder, last.
  const std::int64_t inside = 16 * 2 * 4 + 2 * 4 + 16 * 4 * 8 + 2 * 8 + 2 * (9 * 8 * 8 + 2 * 8) +
                              9 * (8 + 4) * 4 + 2 * 4 + 9 * (4 + 2) * 2 + 2 * 2;
  for (const TranslationTask task : translation_tasks) {
    INFO(name_of(task));
    const std::int64_t in = input_channels(task), out = output_channels(task);
    TranslationGan gan = make_translation_gan(tiny_translation(task));
    CHECK(gan.translator.num_parameters() == 9 * in * 2 + 2 + inside + 9 * 2 * out + out);
    const std::int64_t seen = judged_channels(task);
    CHECK(gan.global.num_parameters() == 16 * seen * 4 + 4 + 16 * 4 * 8 + 8 + 16 * 8 + 1);
    CHECK(gan.local.num_parameters() == 16 * seen * 4 + 4 + 16 * 4 + 1);

    const NoGrad no_grad;
    const TranslationBatch batch = degraded(task, translation_images(task, 3, 1), 5, 1);
    CHECK(batch.input.shape() == Shape{3, 16, 16, in});
    CHECK(batch.target.shape() == Shape{3, 16, 16, out});
    const Var result = gan.translator.translate(Var(batch.input));
    CHECK(result.shape() == Shape{3, 16, 16, out});
    CHECK(largest(result.tensor()) <= 1);
    const Var pair = judged(task, batch.input, result);
    CHECK(pair.shape() == Shape{3, 16, 16, seen});
    CHECK(gan.global(pair).shape() == Shape{3, 1});
    CHECK(local_windows(pair, batch).shape() == Shape{3, 8, 8, seen});
    CHECK(gan.local(local_windows(pair, batch)).shape() == Shape{3, 1});
  }
  CHECK(judged_channels(TranslationTask::inpaint) == 3);
  CHECK(judged_channels(TranslationTask::low_light) == 6);
  CHECK(judged_channels(TranslationTask::matte) == 4);
}

#if !IMAGO_EMULATED  // minutes of emulation
TEST_CASE(
    "translators of 32, 64 and 128 pixels meet at 4 x 4, with at most 8 times base channels") {
  manual_seed(1);
  for (const int image : {32, 64, 128}) {
    CAPTURE(image);
    const TranslationSpec spec{.image = image, .base = 1};
    TranslationGan gan = make_translation_gan(spec);
    CHECK((4 << translation_halvings(spec)) == image);
    const NoGrad no_grad;
    const TranslationBatch batch =
        degraded(spec.task, translation_images(spec.task, 2, 1, image), 5, 1);
    const Var result = gan.translator.translate(Var(batch.input));
    CHECK(result.shape() == Shape{2, image, image, 3});
    CHECK(gan.global(result).shape() == Shape{2, 1});
    CHECK(gan.local(local_windows(result, batch)).shape() == Shape{2, 1});
  }
  CHECK(translation_width({.image = 128, .base = 3}, 3) == 24);
  CHECK(translation_width({.image = 128, .base = 3}, 5) == 24);
}
#endif

TEST_CASE("what is known of a photograph stays, bit by bit and byte by byte; the hole is drawn") {
  manual_seed(2);
  Translator translator(tiny_translation(TranslationTask::inpaint));
  const NoGrad no_grad;
  const Tensor u = kernels::uniform({4, 16, 16, 3}, DType::f32, {3, 0, 0});
  const Tensor bytes = kernels::cast(kernels::scale(u, 256), DType::u8);
  const Tensor photographs = kernels::normalize_u8(bytes);
  const Tensor missing = mask_of(draw_holes(4, 16, 7, 1, photographs.device()), 16);
  const Tensor input = inpainting_input(photographs, missing);
  CHECK(same_bits(missing_of(input), missing));
  const Tensor result = translator.translate(Var(input)).tensor().to(Device::cpu());
  const Tensor truth = photographs.to(Device::cpu()), hole = missing.to(Device::cpu());
  const Tensor seen = photograph_of(input).to(Device::cpu());
  const Tensor result_bytes = kernels::denormalize_u8(result);
  const Tensor true_bytes = bytes.to(Device::cpu());
  std::int64_t inside = 0, outside_wrong = 0, drawn = 0, shown = 0;
  for (std::int64_t i = 0; i < truth.numel(); ++i) {
    const float r = result.data<float>()[i], t = truth.data<float>()[i];
    if (hole.data<std::uint8_t>()[i / 3]) {
      inside += 1;
      drawn += r != t;
      shown += seen.data<float>()[i] != 0;
    } else {
      outside_wrong += r != t || seen.data<float>()[i] != t ||
                       result_bytes.data<std::uint8_t>()[i] != true_bytes.data<std::uint8_t>()[i];
    }
  }
  CHECK(inside >= 4 * 4 * 4 * 3);
  CHECK(outside_wrong == 0);
  CHECK(shown == 0);  // nothing of the hole reaches the network
  CHECK(drawn > inside / 2);
}

TEST_CASE("what lies in the hole does not change what is drawn there") {
  manual_seed(3);
  Translator translator(tiny_translation(TranslationTask::inpaint));
  const NoGrad no_grad;
  const Tensor photographs = translation_images(TranslationTask::inpaint, 2, 1);
  const Tensor missing = mask_of(draw_holes(2, 16, 7, 1, photographs.device()), 16);
  const Tensor other = kernels::where(missing, kernels::neg(photographs), photographs);
  const auto drawn = [&](const Tensor& x) {
    return translator.translate(Var(inpainting_input(x, missing))).tensor();
  };
  CHECK_FALSE(same_bits(photographs, other));
  CHECK(same_bits(drawn(photographs), drawn(other)));
}

TEST_CASE("the middle sees the whole image: a pixel in one corner reaches the opposite one") {
  manual_seed(4);
  Translator translator({.task = TranslationTask::low_light, .image = 16, .base = 8});
  const NoGrad no_grad;
  const nn::Evaluating mode(translator);
  const Tensor black = Tensor::full({1, 16, 16, 3}, -1);
  Tensor host = black.to(Device::cpu()).clone();
  for (int c = 0; c < 3; ++c) host.mutable_data<float>()[c] = 1;
  const Tensor lit = host.to(black.device());
  const auto corner = [&](const Tensor& x) {
    const Tensor y = translator(Var(x)).tensor().to(Device::cpu());
    return y.slice(0, 1).reshape({256, 3}).slice(255, 256).clone();
  };
  CHECK_FALSE(same_bits(corner(black), corner(lit)));
}

TEST_CASE("the import maps of translators and their discriminators name each tensor") {
  for (const TranslationTask task : translation_tasks) {
    for (const int image : {16, 32, 64, 128}) {
      if (image > 16 && task != TranslationTask::inpaint)
        continue;  // tasks differ in channels alone
      INFO(name_of(task) << " at " << image);
      const TranslationSpec spec{.task = task, .image = image, .base = 1};
      manual_seed(1);
      TranslationGan a = make_translation_gan(spec);
      manual_seed(2);
      TranslationGan b = make_translation_gan(spec);
      const auto through = [](nn::Module& from, nn::Module& to, const nn::ImportMap& map) {
        nn::load_pytorch(to, map, nn::to_pytorch(from, map));
        for (const auto& [name, tensor] : from.state_dict()) {
          CAPTURE(name);
          CHECK(same_bits(tensor, to.state_dict().at(name)));
        }
      };
      through(a.translator, b.translator, translator_map(spec, "net"));
      through(a.global, b.global, global_critic_map(spec));
      through(a.local, b.local, local_critic_map(spec, ""));
    }
  }
  manual_seed(1);
  const Translator net({.image = 32, .base = 2});
  const NamedTensors theirs = nn::to_pytorch(net, translator_map(net.spec(), "net"));
  CHECK(theirs.at("net.first.weight").shape() == Shape{2, 4, 3, 3});
  CHECK(theirs.at("net.down.2.0.weight").shape() == Shape{16, 8, 4, 4});
  CHECK(theirs.at("net.up.0.0.weight").shape() == Shape{8, 24, 3, 3});
  CHECK(theirs.at("net.middle.1.1.running_var").shape() == Shape{16});
}

TEST_CASE("impossible translators, and inputs of another shape, are named") {
  CHECK_THROWS_WITH_AS(Translator({.image = 48}), doctest::Contains("16, 32, 64 or 128"), Error);
  CHECK_THROWS_WITH_AS(make_translation_gan({.base = 0}), doctest::Contains("base"), Error);
  // Half of the smallest translator's images is seen by a discriminator, and drawn by no generator.
  CHECK(dcgan_discriminator({.base = 1, .image = 8})(Var(Tensor::zeros({2, 8, 8, 3}))).shape() ==
        Shape{2, 1});
  CHECK_THROWS_WITH_AS(dcgan_discriminator({.image = 4}),
                       doctest::Contains("must be 8, 16, 32, 64 or 128, not 4"), Error);
  CHECK_THROWS_WITH_AS(dcgan_generator({.image = 8}),
                       doctest::Contains("must be 16, 32, 64 or 128, not 8"), Error);
  CHECK_THROWS_WITH_AS(translation_task("colour"), doctest::Contains("'colour'"), Error);
  for (const TranslationTask task : translation_tasks) {
    CHECK(translation_task(name_of(task)) == task);
  }
  Translator net(tiny_translation(TranslationTask::inpaint));
  CHECK_THROWS_WITH_AS(net(Var(Tensor::zeros({2, 16, 16, 3}))),
                       doctest::Contains("(N, 16, 16, 4) for inpaint"), Error);
  CHECK_THROWS_WITH_AS(net(Var(Tensor::zeros({16, 16, 4}))),
                       doctest::Contains("is the batch dimension missing?"), Error);
  const Tensor x = Tensor::zeros({1, 16, 16, 3});
  CHECK_THROWS_WITH_AS(inpainting_input(x, Tensor::zeros({1, 16, 16, 1})), doctest::Contains("u8"),
                       Error);
  CHECK_THROWS_WITH_AS(degraded(TranslationTask::matte, x, 1, 1), doctest::Contains("matte"),
                       Error);
  CHECK_THROWS_WITH_AS(degraded(TranslationTask::inpaint, Tensor::zeros({1, 16, 8, 3}), 1, 1),
                       doctest::Contains("square"), Error);
}
