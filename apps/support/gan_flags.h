// The flags of a GAN training run, as given, saved and taken up again.
#pragma once

#include <optional>
#include <string>

#include "apps/support/train_flags.h"
#include "models/conditional_gan_trainer.h"
#include "models/gan_trainer.h"

namespace imago::apps {

// With --labels a conditional GAN is trained (models/conditional_gan.h), which has other defaults:
// settle() sets them.
struct GanFlags {
  TrainFlags train = {.lr = 2e-4, .out = "runs/gan"};
  ScoreFlags score = {};
  std::string model = "dcgan64";
  int base = 64;
  std::string loss = "nonsaturating";
  std::optional<double> lr_g = {}, lr_d = {};  // none: lr
  double ema = 0.995;

  std::string penalty = "none";
  double penalty_weight = 10;
  std::int64_t penalty_every = 1;
  double clip_weights = 0;
  int d_steps = 1;
  double beta1 = 0.5, beta2 = 0.999;
  double smooth = 1;
  double instance_noise = 0;
  std::int64_t instance_noise_steps = 0;  // 0: as many as the run was first asked for
  std::string augment = "none";

  std::string labels;  // a label of procedural faces, or a text file; "": no conditional GAN
  std::string conditioning = "acgan";
  double class_weight = 4;
  bool classify_fakes = false;
  bool balance_classes = true;

  bool conditional() const { return !labels.empty(); }
};

void add_gan_flags(Flags& flags, GanFlags& values);

// What a conditional GAN is trained with unless told otherwise. Chosen for a first run of a few
// minutes on two cores: --labels glasses at 32x32. acgan and its weight are above: D's classifier
// says in every image how far it is from the class, while a projection must first find the classes
// useful for telling real from fake, which a rim of a few pixels hardly is. The weight, several
// times the loss of real and fake, keeps G from drawing good faces of either class; the classifier
// learns from real images alone, so that no agreement with G on a wrong picture pays.
namespace conditional_defaults {
inline constexpr const char* model = "resnet32";
// A quarter of the unconditional width: what a class looks like is learnt over many steps, and
// narrow networks take more of them in the same time.
inline constexpr int base = 16;
// Spectral norm holds D back, so hinge, beta1 = 0 and beta2 = 0.9 are what such networks are
// trained with (Miyato et al. 2018). D has to know the class before G can learn it from D, so D
// learns faster (two rates: Heusel et al. 2017).
inline constexpr const char* loss = "hinge";
inline constexpr double lr_g = 4e-4, lr_d = 8e-4, beta1 = 0, beta2 = 0.9;
// A run of a thousand steps is not to be averaged over two hundred of them.
inline constexpr double ema = 0.99;
}  // namespace conditional_defaults

// For --resume: flags that were not given are taken from OUT/config.json; those that it does not
// know, because it is older than they are, have their defaults. Throws UsageError when one that was
// given contradicts it where a run cannot change: all but steps, rates, intervals, threads, device
// and skip-broken, and when scores are made.
void take_saved_flags(const Flags& flags, GanFlags& values);

// After parsing, and after take_saved_flags with --resume: what was not given and depends on other
// flags gets its value, so that it is saved and stays. Throws UsageError where flags do not go
// together, naming one.
void settle(const Flags& flags, GanFlags& values);

// What config.json holds.
Json to_json(const GanFlags& flags);

// Throws Error for a name that does not exist.
models::GanTrainerOptions trainer_options(const GanFlags& flags);

// Of a conditional run, after settle().
models::ConditionalGanSpec conditional_spec(const GanFlags& flags, int classes);
models::ConditionalGanTrainerOptions conditional_options(const GanFlags& flags);

}  // namespace imago::apps
