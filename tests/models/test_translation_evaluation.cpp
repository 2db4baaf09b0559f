#include "models/translation_evaluation.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/kernels/random.h"
#include "translation_checks.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

TEST_CASE("mean_cosine: of rows whose angles are known") {
  const Tensor a = Tensor::from<float>({1, 0, 2, 2, 3, 4, 0, 0}, {4, 2});
  const Tensor b = Tensor::from<float>({0, 5, 7, 7, -6, -8, 1, 1}, {4, 2});
  CHECK(std::abs(mean_cosine(a, b) - (0 + 1 - 1 + 0) / 4.0) < 1e-12);
  CHECK(std::abs(mean_cosine(a.slice(0, 3), a.slice(0, 3)) - 1) < 1e-12);
  CHECK_THROWS_WITH_AS(mean_cosine(a, b.slice(0, 2)), doctest::Contains("one shape"), Error);
}

TEST_CASE("the portrait that a matte cuts out: the person as it was, mid-grey around") {
  const Tensor photograph = translation_images(TranslationTask::low_light, 2, 1);
  const auto cut = [&](double matte) {
    return portraits_of(TranslationTask::matte, photograph, Tensor::full({2, 16, 16, 1}, matte));
  };
  CHECK(same_bits(cut(1), photograph));
  CHECK(largest(cut(-1)) == 0);
  CHECK(largest_error(cut(0), kernels::scale(photograph, 0.5)) == 0);
  CHECK(same_bits(portraits_of(TranslationTask::low_light, Tensor(), photograph), photograph));
}

TEST_CASE("translate_all gives in batches what the network gives, and leaves it as it was") {
  const TranslationTask task = TranslationTask::low_light;
  manual_seed(1);
  Translator translator(tiny_translation(task));
  const Tensor input = translation_images(task, 70, 1);  // more than one batch
  const Tensor all = translate_all(translator, input);
  REQUIRE(all.shape() == Shape{70, 16, 16, 3});
  CHECK(all.device().is_cpu());
  CHECK(translator.training());
  const NoGrad no_grad;
  const nn::Evaluating mode(translator);
  // Sums of another batch may be taken in another order.
  const Var some = translator.translate(Var(input.slice(66, 70)));
  CHECK(largest_error(some.tensor(), all.slice(66, 70)) <= 1e-5);
}

TEST_CASE("doing nothing is an answer where the input is a photograph") {
  const Tensor hole =
      degraded(TranslationTask::inpaint, translation_images(TranslationTask::inpaint, 2, 1), 1, 1)
          .input;
  CHECK(same_bits(*untouched(TranslationTask::inpaint, hole), photograph_of(hole)));
  const Tensor x = translation_images(TranslationTask::low_light, 2, 1);
  CHECK(same_bits(*untouched(TranslationTask::low_light, x), x));
  CHECK_FALSE(untouched(TranslationTask::matte, x).has_value());
}

#if !IMAGO_EMULATED  // the recogniser takes minutes of emulation
TEST_CASE("the truth itself has every best score, and something else has less") {
  manual_seed(1);
  FaceFeatures network({{"glasses", {"no", "yes"}}});
  for (const TranslationTask task : translation_tasks) {
    INFO(name_of(task));
    const TranslationBatch batch = degraded(task, translation_images(task, 6, 1), 1, 1);
    const TranslationScores best =
        score_translation(network, task, batch.input, batch.target, batch.target);
    CHECK(best.images == 6);
    CHECK(std::isinf(best.psnr));
    CHECK(best.ssim == 1);
    CHECK(best.frechet < 1e-4);
    CHECK(std::abs(best.identity - 1) < 1e-9);
    const Tensor other = kernels::scale(batch.target, 0.3);
    const TranslationScores worse =
        score_translation(network, task, batch.input, other, batch.target);
    CHECK(std::isfinite(worse.psnr));
    CHECK(worse.ssim < 1);
    CHECK(worse.frechet > best.frechet);
    CHECK(worse.identity < best.identity);
  }
}
#endif
