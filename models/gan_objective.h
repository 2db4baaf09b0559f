// What the two players of a GAN minimise, by name: the losses of nn/gan_loss.h and the penalties of
// nn/gradient_penalty.h, with what their values mean.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "autograd/var.h"

namespace imago::models {

enum class GanLoss {
  nonsaturating,  // G minimises -log D(G(z))
  minimax,        // G minimises log(1 - D(G(z))), as the value function V(D, G) has it
  lsgan,          // least squares: D is to say 1 of real images and 0 of fakes
  hinge,          // D is to say 1 or more of real images and -1 or less of fakes
  wasserstein,    // D, of bounded slope, says more of real images than of fakes by all it can
};

enum class GanPenalty {
  none,
  gp,  // WGAN-GP: slope 1 of D between real and fake images
  r1,  // slope 0 of D at real images
};

const char* name_of(GanLoss loss);
const char* name_of(GanPenalty penalty);
// The inverse. Throw, naming the choices.
GanLoss gan_loss(const std::string& name);
GanPenalty gan_penalty(const std::string& name);
const std::vector<std::string>& gan_loss_names();
const std::vector<std::string>& gan_penalty_names();

// Scalars () from scores (N, 1). real_target, which only losses with a target for real images have,
// is in (0, 1]; see has_target.
Var loss_of_d(GanLoss loss, const Var& real, const Var& fake, double real_target = 1);
Var loss_of_g(GanLoss loss, const Var& fake);

// Whether D's scores are logits, whose sigmoid is the probability that an image is real. The scores
// of the others are numbers of no such meaning.
bool says_probabilities(GanLoss loss);
// Whether D has a target for real images that can be smoothed.
bool has_target(GanLoss loss);

// The mean over scores (N, 1) as the figures show it: of the probabilities where there are any, and
// else of the scores themselves.
double mean_belief(GanLoss loss, const Var& scores);

// Values that a loss is to be held against. Nothing where the loss has no scale.
struct GanBalance {
  std::optional<double> d, g;  // where D cannot tell real from fake and answers as well as it can
  std::optional<double> d_least;  // of a D that is never wrong
};
GanBalance balance_of(GanLoss loss, double real_target = 1);

// The factor of a penalty in D's loss: `weight` of gp (lambda, 10 in arXiv 1704.00028) and half of
// it of r1 (gamma / 2, gamma 10 in arXiv 1801.04406), times `every`: a penalty that is taken at
// each k-th update counts k times there (lazy regularisation, Karras et al. 2020, arXiv
// 1912.04958, appendix B).
double penalty_factor(GanPenalty penalty, double weight, std::int64_t every);

}  // namespace imago::models
