// What D and G reach together, where D can be solved for: data and G draw one of four values, with
// probabilities p and q. The best D is p / (p + q) (Goodfellow et al. 2014, arXiv 1406.2661,
// proposition 1); theorem 1 there: with it V = -log 4 + 2 JSD(p, q), least where q = p.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/museum/exhibits.h"
#include "autograd/engine.h"
#include "autograd/ops/index_select.h"
#include "nn/gan_loss.h"
#include "nn/optim.h"

namespace imago::museum {
namespace {

// Each value as often as it is drawn: eight draws.
using Draws = std::array<std::int64_t, 8>;
constexpr Draws data = {0, 0, 0, 0, 1, 1, 2, 3};
constexpr Draws other = {0, 1, 2, 2, 3, 3, 3, 3};

struct Game {
  double loss_d = 0, loss_g = 0;
  double error = 0;  // of D, the largest over the four values
};

// D is a table of four logits, trained to the end from values that fit neither game.
Game play(const Draws& real, const Draws& fake) {
  const Var table = parameter(Tensor::from({1.0, -1.0, 2.0, -2.0}, {4, 1}));
  const Tensor reals = Tensor::from(std::span<const std::int64_t>(real), {8});
  const Tensor fakes = Tensor::from(std::span<const std::int64_t>(fake), {8});
  optim::SGD opt({table}, {.lr = 4});
  for (int i = 0; i < 300; ++i) {
    opt.zero_grad();
    // (8, 1) each
    loss::gan_d(ops::index_select(table, 0, reals), ops::index_select(table, 0, fakes)).backward();
    opt.step();
  }
  Game game;
  const Var real_logits = ops::index_select(table, 0, reals);
  const Var fake_logits = ops::index_select(table, 0, fakes);
  game.loss_d = loss::gan_d(real_logits, fake_logits).item();
  game.loss_g = loss::gan_g(fake_logits).item();
  for (std::int64_t value = 0; value < 4; ++value) {
    const auto p = static_cast<double>(std::count(real.begin(), real.end(), value));
    const auto q = static_cast<double>(std::count(fake.begin(), fake.end(), value));
    const double d = 1 / (1 + std::exp(-table.tensor().data<double>()[value]));
    game.error = std::max(game.error, std::abs(d - p / (p + q)));
  }
  return game;
}

Var logit_of(double value) {
  return parameter(Tensor::full({1, 1}, value, DType::f64));
}

double slope_at(Var (*loss)(const Var&), double logit) {
  const Var x = logit_of(logit);
  return std::abs(grad({loss(x)}, {x})[0].item());
}

}  // namespace

Optimum optimum() {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  Optimum f;
  const Game apart = play(data, other), equal = play(data, data);
  f.apart_d = apart.loss_d;
  f.apart_g = apart.loss_g;
  f.apart_error = apart.error;
  f.equal_d = equal.loss_d;
  f.equal_g = equal.loss_g;
  f.equal_error = equal.error;
  f.fooled_g = loss::gan_g(logit_of(std::log(0.99 / 0.01))).item();
  f.minimax_even = slope_at(loss::gan_g_minimax, 0);
  f.minimax_sure = slope_at(loss::gan_g_minimax, -10);
  f.nonsaturating_even = slope_at(loss::gan_g, 0);
  f.nonsaturating_sure = slope_at(loss::gan_g, -10);
  return f;
}

void show_optimum() {
  const Optimum f = optimum();
  std::printf(
      "Wrong: trained to the end, the losses of G and of D are both at their minimum\n"
      "Right: the best G meets a D that says 1/2 everywhere. Then D's loss -V is log 4, as high "
      "as\n"
      "       the best D ever gets, and G's is log 2, not 0.\n"
      "What differs, for four values drawn with probabilities p (data) and q (G), and the best D:\n"
      "                                              D's loss -V   G's loss -E log D\n"
      "    p = 4/8 2/8 1/8 1/8, q = 1/8 1/8 2/8 4/8  %.4f        %.4f\n"
      "    q = p: G is perfect                       %.4f        %.4f\n"
      "    log 4 and log 2                           1.3863        0.6931\n",
      f.apart_d, f.apart_g, f.equal_d, f.equal_g);
  std::printf(
      "  D was trained on a table of four logits and is p / (p + q) up to %.4f.\n"
      "  As G got better, D's loss went up. Nor is a low loss of G success: against a D that says\n"
      "  0.99 of everything it is %.4f, and G has learned nothing.\n"
      "  The gradient of G's loss at a logit, for the minimax loss and the non-saturating one:\n"
      "    D says 1/2 of a fake:              %.4f      %.4f\n"
      "    D is sure of a fake, logit -10:    %.6f    %.6f\n"
      "  V as G's own loss teaches nothing when G has most to learn.\n",
      std::max(f.apart_error, f.equal_error), f.fooled_g, f.minimax_even, f.nonsaturating_even,
      f.minimax_sure, f.nonsaturating_sure);
}

}  // namespace imago::museum
