#include "models/gan_options.h"

#include <cmath>

#include "models/checkpoint_entries.h"
#include "nn/batch_norm2d.h"

namespace imago::models {
namespace {

constexpr const char* op = "gan options";

void check_positive(const char* name, double value) {
  check(value > 0 && std::isfinite(value), op, name, " must be positive, not ", value);
}

void check_rates(const GanTrainerOptions& o) {
  for (const double lr : {o.lr, o.lr_g.value_or(0), o.lr_d.value_or(0)}) {
    check(lr >= 0 && std::isfinite(lr), op, "a learning rate must not be negative, but is ", lr);
  }
  for (const double beta : {o.beta1, o.beta2}) {
    check(beta >= 0 && beta < 1, op, "beta1 and beta2 must be in [0, 1), not ", beta);
  }
  check(o.ema >= 0 && o.ema < 1, op, "ema must be in [0, 1), not ", o.ema);
}

// How many layers of a network have spectral norm, and how many a weight without it.
struct Weights {
  int spectral = 0, plain = 0;
};

Weights weights_of(const nn::Module& network) {
  Weights weights;
  for (const auto& [name, parameter] : network.named_parameters()) {
    const std::string own = name.substr(name.rfind('.') + 1);  // all of it where there is no dot
    weights.spectral += own == "weight_orig";                  // nn/spectral_norm.h
    weights.plain += own == "weight";  // also that of a batch norm, which may be any
  }
  return weights;
}

// Every option at its default or not, by its flag.
Metadata all_options(const GanTrainerOptions& o) {
  const bool penalised = o.penalty != GanPenalty::none, noisy = o.instance_noise > 0;
  const GanTrainerOptions defaults;
  return {{"penalty", name_of(o.penalty)},
          {"penalty-weight", shortest(penalised ? o.penalty_weight : defaults.penalty_weight)},
          {"penalty-every", std::to_string(penalised ? o.penalty_every : defaults.penalty_every)},
          {"clip-weights", shortest(o.clip_weights)},
          {"d-steps", std::to_string(o.d_steps)},
          {"beta1", shortest(o.beta1)},
          {"beta2", shortest(o.beta2)},
          {"smooth", shortest(o.real_target)},
          {"instance-noise", shortest(o.instance_noise)},
          {"instance-noise-steps", std::to_string(noisy ? o.noise_steps : defaults.noise_steps)},
          {"augment", name_of(o.augment)}};
}

}  // namespace

void check_gan_options(const GanTrainerOptions& o) {
  check_rates(o);
  check_positive("penalty-weight", o.penalty_weight);
  check(o.penalty_every >= 1, op, "penalty-every is at least 1, not ", o.penalty_every);
  check(o.penalty != GanPenalty::none || o.penalty_every == 1, op,
        "penalty-every needs a penalty; choose gp or r1");
  check(o.clip_weights >= 0 && std::isfinite(o.clip_weights), op,
        "clip-weights is 0 for none or positive, not ", o.clip_weights);
  check(o.d_steps >= 1 && o.d_steps <= most_d_steps, op, "d-steps is from 1 to ", most_d_steps,
        ", not ", o.d_steps);
  check(o.real_target > 0 && o.real_target <= 1, op, "smooth is in (0, 1], not ", o.real_target);
  check(o.real_target == 1 || has_target(o.loss), op, "smooth ", o.real_target,
        " has nothing to smooth: the ", name_of(o.loss),
        " loss has no target for real images; leave it out, or choose nonsaturating, minimax or "
        "lsgan");
  check(o.instance_noise >= 0 && std::isfinite(o.instance_noise), op,
        "instance-noise must not be negative, but is ", o.instance_noise);
  check(o.noise_steps >= 0, op, "instance-noise-steps must not be negative, but is ",
        o.noise_steps);
  check(o.instance_noise == 0 || o.noise_steps > 0, op,
        "instance-noise needs the number of steps in which it fades; give instance-noise-steps");
}

void check_gan_options(const GanTrainerOptions& options, const Gan& gan) {
  check_gan_options(options);
  const Weights weights = weights_of(gan.discriminator);
  check(options.clip_weights == 0 || weights.spectral == 0, op, "clip-weights does nothing to ",
        gan.spec.model,
        "'s D, whose spectral norm divides weights by their size again: leave it "
        "out, or choose a D without spectral norm");
  const bool bounded = weights.spectral > 0 && weights.plain == 0;
  check(options.loss != GanLoss::wasserstein || options.clip_weights > 0 ||
            options.penalty == GanPenalty::gp || bounded,
        op,
        "the wasserstein loss needs a D of bounded slope, or it falls without end: choose penalty "
        "gp, or clip-weights such as 0.01, or a D with spectral norm in all its layers");
  if (options.penalty == GanPenalty::none) return;
  gan.discriminator.visit([&](const std::string& name, const nn::Module& module) {
    if (dynamic_cast<const nn::BatchNorm2d*>(&module) == nullptr) return;
    fail(op, "penalty ", name_of(options.penalty), " takes the gradient of D at each image, but ",
         gan.spec.model, "'s D has batch norm (", name,
         "), with which what it says of one image depends on the others: choose a D without it, "
         "such as one with spectral norm, or leave the penalty out");
  });
}

Metadata chosen_options(const GanTrainerOptions& options) {
  Metadata chosen;
  const Metadata defaults = all_options({});
  for (const auto& [name, value] : all_options(options)) {
    if (value != defaults.at(name)) chosen.emplace(name, value);
  }
  return chosen;
}

void check_same_options(const GanTrainerOptions& options, const SafetensorsFile& file) {
  const Metadata ours = all_options(options);
  for (const auto& [name, value] : all_options({})) {
    const auto saved = file.metadata.find(name);
    const std::string& theirs = saved == file.metadata.end() ? value : saved->second;
    check(theirs == ours.at(name), "checkpoint", file.path, " was trained with ", name, " ", theirs,
          ", not ", ours.at(name));
  }
}

}  // namespace imago::models
