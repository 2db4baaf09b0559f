// The snippets of docs/translation.md.
#include <doctest/doctest.h>
#include <imago/imago.h>

#include <cmath>

using namespace imago;

TEST_CASE("translation: the best answer of least squares is the mean of all answers") {
  // A pixel of the hole is -1 in half of the photographs and 1 in the others.
  const Var answers = Tensor::from<float>({-1, 1, -1, 1}, {4, 1});
  const auto l2 = [&](double guess) {
    return loss::mse(Var(Tensor::full({4, 1}, guess)), answers).item();
  };
  CHECK(l2(0) == 1);  // grey, which none of them is
  CHECK(l2(1) == 2);  // a pixel that may well be the right one
}

TEST_CASE("translation: one step, and where its degradation comes from") {
  manual_seed(1);
  models::TranslationGan gan = models::make_translation_gan({.image = 16, .base = 2});
  models::TranslationTrainer trainer(std::move(gan), {.l1 = 10, .adversarial = 1, .seed = 1});
  const Tensor photographs = rand({2, 16, 16, 3}).tensor();

  const models::TranslationStep s = trainer.step(photographs);  // degrades, then learns
  CHECK(std::isfinite(s.l1.item() + s.loss_g.item()));

  // The same photographs with holes of another step, and what the network makes of them:
  const auto batch = models::degraded(models::TranslationTask::inpaint, photographs, 1, 7);
  const Tensor filled = trainer.translate(batch.input);
  for (const double p : models::psnr(filled, batch.target)) CHECK(p > 0);
  for (const double q : models::ssim(filled, batch.target)) CHECK(q < 1);
}
