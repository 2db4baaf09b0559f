// Every function of nn/loss.h and nn/margin_loss.h, and what else PyTorch has a loss for.
#include <cmath>
#include <numbers>

#include "autograd/ops/add_scalar.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "golden_case.h"
#include "kernels/elementwise/elementwise.h"
#include "nn/gan_loss.h"
#include "nn/loss.h"
#include "nn/margin_loss.h"
#include "nn/vae_loss.h"

namespace imago::test {
namespace {

constexpr const char* basic = "layers.safetensors";
constexpr const char* catalogue = "catalogue.safetensors";
constexpr const char* blocks = "blocks.safetensors";
constexpr const char* margins = "margins.safetensors";

using TwoVars = std::function<Var(const Var&, const Var&)>;

// Of x and target, with the gradients of both.
LossGolden pair(const char* loss, const char* file, const char* name, const TwoVars& f) {
  return {.loss = loss,
          .file = file,
          .name = name,
          .f = [f](const Vars& v) { return f(v[0], v[1]); },
          .inputs = {"x", "target"}};
}

// Of x, the target being a constant.
LossGolden with_target(const char* loss, const char* file, const char* name, const TwoVars& f) {
  return {.loss = loss,
          .file = file,
          .name = name,
          .f = [f](const Vars& v) { return f(v[0], v[1]); },
          .constants = {"target"}};
}

LossGolden of_classes(const char* file, const char* name,
                      const loss::CrossEntropyOptions& options) {
  return {.loss = "cross_entropy",
          .file = file,
          .name = name,
          .f =
              [options](const Vars& v) {
                const Tensor labels = kernels::cast(v[1].tensor(), DType::i64);
                return loss::cross_entropy(v[0], Var(labels), options);
              },
          .constants = {"labels"}};
}

// A loss of nn/margin_loss.h, with its options.
template <class Options>
LossGolden of_margin(const char* loss, const char* name,
                     Var (*f)(const Var&, const Var&, const Options&),
                     const Options& options = {}) {
  return {.loss = loss,
          .file = margins,
          .name = name,
          .f =
              [f, options](const Vars& v) {
                return f(v[0], Var(kernels::cast(v[1].tensor(), DType::i64)), options);
              },
          .constants = {"labels"}};
}

// The mean square of d (N, ...), which the density's logarithm is but for constants:
// -1/2 sum d^2 - D log sqrt(2 pi) over all D values.
Var mean_square_by_density(const Var& d) {
  const auto values = static_cast<double>(d.numel());
  const Var log_density = ops::sum(loss::standard_normal_log_density(d));
  const double log_root_two_pi = 0.5 * std::log(2 * std::numbers::pi);
  return ops::scale(ops::add_scalar(log_density, values * log_root_two_pi), -2 / values);
}

}  // namespace

std::vector<LossGolden> all_loss_goldens() {
  const char* targets = "bce_with_logits(logits, targets)";
  const auto bce = [](const Var& x, const Var& t) { return loss::bce_with_logits(x, t); };
  return {
      with_target(targets, basic, "bce_logits", bce),
      with_target(targets, catalogue, "bce", bce),
      pair(targets, blocks, "bce_learned", bce),
      {.loss = "bce_with_logits(logits, target)",
       .file = blocks,
       .name = "bce_one_target",
       .f = [](const Vars& v) { return loss::bce_with_logits(v[0], 0.3); }},
      of_classes(catalogue, "cross_entropy", {}),
      of_classes(catalogue, "cross_entropy_smooth", {.label_smoothing = 0.1}),
      of_classes(catalogue, "cross_entropy_ignore", {.label_smoothing = 0.2, .ignore_index = -100}),
      of_classes(blocks, "cross_entropy_class", {.ignore_index = 1}),
      with_target("mse", basic, "mse", loss::mse),
      pair("mse", catalogue, "mse", loss::mse),
      pair("standard_normal_log_density", catalogue, "mse",
           [](const Var& a, const Var& b) { return mean_square_by_density(ops::sub(a, b)); }),
      with_target("l1", basic, "l1", loss::l1),
      pair("l1", catalogue, "l1", loss::l1),
      pair("huber", blocks, "huber_default",
           [](const Var& a, const Var& b) { return loss::huber(a, b); }),
      pair("huber", catalogue, "huber",
           [](const Var& a, const Var& b) { return loss::huber(a, b, 1.7); }),
      pair("smooth_l1", catalogue, "smooth_l1",
           [](const Var& a, const Var& b) { return loss::smooth_l1(a, b); }),
      pair("smooth_l1", catalogue, "smooth_l1_beta",
           [](const Var& a, const Var& b) { return loss::smooth_l1(a, b, 0.3); }),
      pair("smooth_l1", blocks, "smooth_l1_zero",
           [](const Var& a, const Var& b) { return loss::smooth_l1(a, b, 0); }),
      {.loss = "gan_d",
       .file = basic,
       .name = "gan",
       .f = [](const Vars& v) { return loss::gan_d(v[0], v[1]); },
       .inputs = {"real", "fake"},
       .value = "loss_d",
       .gradients = {"d_real", "d_fake"}},
      {.loss = "gan_g",
       .file = basic,
       .name = "gan",
       .f = [](const Vars& v) { return loss::gan_g(v[0]); },
       .inputs = {"fake"},
       .value = "loss_g",
       .gradients = {"g_fake"}},
      {.loss = "gan_g_minimax",
       .file = basic,
       .name = "gan",
       .f = [](const Vars& v) { return loss::gan_g_minimax(v[0]); },
       .inputs = {"fake"},
       .value = "loss_g_minimax",
       .gradients = {"g_minimax_fake"}},
      {.loss = "hinge_d",
       .file = catalogue,
       .name = "hinge_d",
       .f = [](const Vars& v) { return loss::hinge_d(v[0], v[1]); },
       .inputs = {"real", "fake"}},
      {.loss = "hinge_g",
       .file = catalogue,
       .name = "hinge_g",
       .f = [](const Vars& v) { return loss::hinge_g(v[0]); },
       .inputs = {"fake"}},
      of_margin("cosface", "cosface", loss::cosface),
      of_margin("cosface", "cosface_smooth", loss::cosface,
                {.scale = 12, .margin = 0.2, .label_smoothing = 0.1}),
      of_margin("cosface", "cosface_plain", loss::cosface, {.scale = 5, .margin = 0}),
      of_margin("arcface", "arcface", loss::arcface),
      of_margin("arcface", "arcface_smooth", loss::arcface,
                {.scale = 12, .margin = 0.3, .label_smoothing = 0.1}),
      of_margin("arcface", "arcface_beyond", loss::arcface),
      of_margin("arcface", "arcface_wide", loss::arcface, {.scale = 8, .margin = 1.2}),
      of_margin("arcface", "arcface_plain", loss::arcface, {.scale = 5, .margin = 0}),
      of_margin("triplet_semi_hard", "triplet", loss::triplet_semi_hard),
      of_margin("triplet_semi_hard", "triplet_far", loss::triplet_semi_hard, {.margin = 1.5}),
  };
}

}  // namespace imago::test
