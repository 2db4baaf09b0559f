#include "models/gan_objective.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "autograd/ops/sigmoid.h"
#include "autograd/ops/sum_to.h"
#include "nn/gan_loss.h"

namespace imago::models {
namespace {

// The place of a name among the choices, which are in the order of the enumeration.
std::size_t place_of(const char* what, const std::string& name,
                     const std::vector<std::string>& choices) {
  const auto found = std::find(choices.begin(), choices.end(), name);
  if (found == choices.end()) {
    std::ostringstream list;
    for (const std::string& choice : choices) list << ' ' << choice;
    fail(what, "there is no '", name, "'; choose one of", list.str());
  }
  return static_cast<std::size_t>(found - choices.begin());
}

double cross_entropy(double target, double said) {
  const double real = target > 0 ? -target * std::log(said) : 0;
  return target < 1 ? real - (1 - target) * std::log(1 - said) : real;
}

// What D says of all images where it cannot tell.
double blind_score(GanLoss loss, double real_target) {
  const double middle = real_target / 2;
  if (says_probabilities(loss)) return std::log(middle / (1 - middle));
  return loss == GanLoss::lsgan ? middle : 0;
}

}  // namespace

const std::vector<std::string>& gan_loss_names() {
  static const std::vector<std::string> names = {"nonsaturating", "minimax", "lsgan", "hinge",
                                                 "wasserstein"};
  return names;
}

const std::vector<std::string>& gan_penalty_names() {
  static const std::vector<std::string> names = {"none", "gp", "r1"};
  return names;
}

const char* name_of(GanLoss loss) {
  return gan_loss_names().at(static_cast<std::size_t>(loss)).c_str();
}

const char* name_of(GanPenalty penalty) {
  return gan_penalty_names().at(static_cast<std::size_t>(penalty)).c_str();
}

GanLoss gan_loss(const std::string& name) {
  return static_cast<GanLoss>(place_of("gan_loss", name, gan_loss_names()));
}

GanPenalty gan_penalty(const std::string& name) {
  return static_cast<GanPenalty>(place_of("gan_penalty", name, gan_penalty_names()));
}

Var loss_of_d(GanLoss loss, const Var& real, const Var& fake, double real_target) {
  check(real_target == 1 || has_target(loss), "loss_of_d", "the ", name_of(loss),
        " loss has no target for real images that could be ", real_target);
  switch (loss) {
    case GanLoss::nonsaturating:
    case GanLoss::minimax:
      return loss::gan_d(real, fake, real_target);
    case GanLoss::lsgan:
      return loss::lsgan_d(real, fake, real_target);
    case GanLoss::hinge:
      return loss::hinge_d(real, fake);
    case GanLoss::wasserstein:
      return loss::wasserstein_d(real, fake);
  }
  fail("loss_of_d", "there is no such loss");
}

Var loss_of_g(GanLoss loss, const Var& fake) {
  switch (loss) {
    case GanLoss::nonsaturating:
      return loss::gan_g(fake);
    case GanLoss::minimax:
      return loss::gan_g_minimax(fake);
    case GanLoss::lsgan:
      return loss::lsgan_g(fake);
    case GanLoss::hinge:
      return loss::hinge_g(fake);
    case GanLoss::wasserstein:
      return loss::wasserstein_g(fake);
  }
  fail("loss_of_g", "there is no such loss");
}

bool says_probabilities(GanLoss loss) {
  return loss == GanLoss::nonsaturating || loss == GanLoss::minimax;
}

bool has_target(GanLoss loss) {
  return says_probabilities(loss) || loss == GanLoss::lsgan;
}

double mean_belief(GanLoss loss, const Var& scores) {
  const NoGrad no_grad;
  const Var said = scores.detach();
  return ops::mean(says_probabilities(loss) ? ops::sigmoid(said) : said).item();
}

GanBalance balance_of(GanLoss loss, double real_target) {
  if (loss == GanLoss::wasserstein) return {.d = 0, .g = {}, .d_least = {}};
  const NoGrad no_grad;
  const Var blind = Tensor::full({1, 1}, blind_score(loss, real_target), DType::f64, Device::cpu());
  return {.d = loss_of_d(loss, blind, blind, real_target).item(),
          .g = loss_of_g(loss, blind).item(),
          .d_least = says_probabilities(loss) ? cross_entropy(real_target, real_target) : 0};
}

double penalty_factor(GanPenalty penalty, double weight, std::int64_t every) {
  if (penalty == GanPenalty::none) return 0;
  return (penalty == GanPenalty::r1 ? weight / 2 : weight) * static_cast<double>(every);
}

}  // namespace imago::models
