#include "apps/support/gan_flags.h"

#include <algorithm>
#include <filesystem>

#include "apps/support/classes.h"
#include "data/labels.h"
#include "models/checkpoint_entries.h"

namespace imago::apps {
namespace {

// Written alike however it was given: a resumed run compares it.
std::string settle_policy(std::string& text) {
  try {
    text = name_of(models::diff_augment_policy(text));
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

// What D and G minimise, and what D sees.
void add_objective_flags(Flags& flags, GanFlags& f) {
  flags.choice(
      "--loss", f.loss, models::gan_loss_names(),
      "What D and G minimise; wasserstein needs gp, --clip-weights or a D with spectral norm");
  flags.choice("--penalty", f.penalty, models::gan_penalty_names(),
               "On D's gradient at images: gp (WGAN-GP) or r1; for a D without batch norm");
  flags.number("--penalty-weight", f.penalty_weight, 1e-9, 1e9,
               "lambda of gp; gamma of r1, half of which multiplies it");
  flags.number("--penalty-every", f.penalty_every, 1, 1'000'000,
               "Take the penalty at each k-th update of D, with k times the weight");
  flags.number("--clip-weights", f.clip_weights, 0.0, 1e3,
               "Cut D's weights to plus and minus this after each update (WGAN: 0.01); 0: no");
  flags.number("--d-steps", f.d_steps, 1, models::most_d_steps,
               "Updates of D before each of G, each with --batch real images of its own");
  flags.number("--smooth", f.smooth, 1e-3, 1.0,
               "What D is to say of real images, such as 0.9; for the losses that have a target");
  flags.number("--instance-noise", f.instance_noise, 0.0, 10.0,
               "Standard deviation of noise on all that D sees, which fades to 0");
  flags.number("--instance-noise-steps", f.instance_noise_steps, 0, 0x7fffffff,
               "Steps in which the noise fades; 0: --steps of the run's first start");
  flags.text("--augment", f.augment, "POLICY", settle_policy,
             "DiffAugment on all that D sees: colour, translation and cutout, those that you "
             "want with commas between, or none");
}

void add_optimiser_flags(Flags& flags, GanFlags& f) {
  flags.number("--lr-g", f.lr_g, 1e-8, 1.0, "Learning rate of the generator alone");
  flags.number("--lr-d", f.lr_d, 1e-8, 1.0, "Learning rate of the discriminator alone");
  flags.number("--beta1", f.beta1, 0.0, 0.9999, "Of Adam; WGAN-GP takes 0");
  flags.number("--beta2", f.beta2, 0.0, 0.999999, "Of Adam; WGAN-GP takes 0.9");
  flags.number("--ema", f.ema, 0.0, 0.99999,
               "Samples come from a moving average of the generator with this decay; 0: none");
}

bool is_procedural_label(const std::string& text) {
  const std::vector<std::string>& names = data::procedural_label_names();
  return std::find(names.begin(), names.end(), text) != names.end();
}

// A file gets its full path: a resumed run may be started in another folder.
std::string settle_label(std::string& text) {
  if (text.empty()) return "must be a label or a text file, not empty";
  if (!is_procedural_label(text)) {
    text = std::filesystem::absolute(text).lexically_normal().string();
  }
  if (!data::is_utf8(text)) return "must be called by UTF-8 text: config.json has to hold it";
  return "";
}

std::string conditional_defaults_text() {
  namespace defaults = conditional_defaults;
  return std::string("--model ") + defaults::model + " --base " + std::to_string(defaults::base) +
         " --loss " + defaults::loss + " --lr " + models::shortest(defaults::lr_g) + " --lr-d " +
         models::shortest(defaults::lr_d) + " --beta1 " + models::shortest(defaults::beta1) +
         " --beta2 " + models::shortest(defaults::beta2) + " --ema " +
         models::shortest(defaults::ema);
}

void add_conditional_flags(Flags& flags, GanFlags& f) {
  flags.text(
      "--labels", f.labels, "LABEL or FILE", settle_label,
      "Train a conditional GAN on these classes: " + list_of(data::procedural_label_names()) +
          " of procedural faces, or for a folder a text file with a line path,class for "
          "each image. Other defaults then: " +
          conditional_defaults_text());
  flags.choice("--conditioning", f.conditioning, {"acgan", "projection"},
               "How D teaches G the class: acgan (D classifies too) or projection");
  flags.number("--class-weight", f.class_weight, 0.0, 1e6,
               "Of acgan: how much classification counts beside real or fake");
  flags.on("--classify-fakes", f.classify_fakes, "Of acgan: D's classifier learns from fakes too");
  flags.on("--balance-classes,!--no-balance-classes", f.balance_classes,
           "Show every class equally often, however rare it is (the default with --labels)");
}

// Flags that only runs without --labels take, and those that only runs with it take.
const std::vector<const char*>& plain_flags() {
  static const std::vector<const char*> flags = {
      "--penalty", "--penalty-weight", "--penalty-every",        "--clip-weights", "--d-steps",
      "--smooth",  "--instance-noise", "--instance-noise-steps", "--augment"};
  return flags;
}
const std::vector<const char*>& conditional_flags() {
  static const std::vector<const char*> flags = {"--conditioning", "--class-weight",
                                                 "--classify-fakes", "--balance-classes"};
  return flags;
}

// Refuses what was given without effect. What a resumed run takes from config.json was not given:
// that file has every flag, used or not.
void check_given(const Flags& flags, const GanFlags& f) {
  for (const char* flag : f.conditional() ? plain_flags() : conditional_flags()) {
    if (!flags.given(flag)) continue;
    throw UsageError(std::string(flag) + (f.conditional() ? " does not go with --labels: the "
                                                            "conditional GAN has no such option"
                                                          : " is for --labels, which is missing"));
  }
  if (flags.given("--lr") && flags.given("--lr-g") && flags.given("--lr-d")) {
    throw UsageError(
        "--lr is of the networks that have no rate of their own, and --lr-g and --lr-d give each "
        "one: leave one of the three out");
  }
  if (f.penalty == "none") {
    for (const char* flag : {"--penalty-weight", "--penalty-every"}) {
      if (!flags.given(flag)) continue;
      throw UsageError(std::string(flag) +
                       " needs a penalty: give --penalty gp or r1 too, or leave it out");
    }
  }
  if (f.instance_noise == 0 && flags.given("--instance-noise-steps")) {
    throw UsageError(
        "--instance-noise-steps says when noise has faded, and there is none: give "
        "--instance-noise too, or leave it out");
  }
  if (f.conditioning == "acgan") return;
  for (const char* flag : {"--class-weight", "--classify-fakes"}) {
    if (!flags.given(flag)) continue;
    throw UsageError(std::string(flag) + " is for --conditioning acgan, whose D classifies, not " +
                     f.conditioning);
  }
}

void set_conditional_defaults(const Flags& flags, GanFlags& f) {
  namespace defaults = conditional_defaults;
  if (!flags.given("--model")) f.model = defaults::model;
  if (!flags.given("--base")) f.base = defaults::base;
  if (!flags.given("--loss")) f.loss = defaults::loss;
  if (!flags.given("--lr")) {
    f.train.lr = defaults::lr_g;
    if (!flags.given("--lr-d")) f.lr_d = defaults::lr_d;
  }
  if (!flags.given("--beta1")) f.beta1 = defaults::beta1;
  if (!flags.given("--beta2")) f.beta2 = defaults::beta2;
  if (!flags.given("--ema")) f.ema = defaults::ema;
}

// Throws Error or UsageError.
void check_conditional(const GanFlags& f) {
  const bool procedural = f.train.data == "procedural", name = is_procedural_label(f.labels);
  if (procedural && !name) {
    throw UsageError("--labels: procedural faces have no label '" +
                     std::filesystem::path(f.labels).filename().string() + "'; choose one of " +
                     list_of(data::procedural_label_names()));
  }
  if (!procedural && name) {
    throw UsageError("--labels " + f.labels +
                     " is a label of procedural faces; for the images of " + f.train.data +
                     " name a text file with a line path,class for each");
  }
  if (f.train.skip_broken) {
    throw UsageError(
        "--skip-broken does not go with --labels: in place of a broken image comes "
        "another one, whose class may be another");
  }
  models::check_gan_spec({f.model, f.base});
  if (!models::is_resnet({f.model, f.base})) {
    throw UsageError("--model " + f.model +
                     " does not go with --labels: conditional networks are resnet32, resnet64 and "
                     "resnet128");
  }
  if (f.loss != "hinge" && f.loss != "nonsaturating") {
    throw UsageError("--loss " + f.loss +
                     " does not go with --labels: take hinge or nonsaturating");
  }
  conditional_options(f);
}

// A rate of one network: as given, or that of both as given, or as saved, or as saved of both.
// Where it went with that of both and still does, what was said of that is enough.
void take_rate(const SavedFlags& saved, const std::string& key, double rate,
               std::optional<double>& value) {
  const auto saved_rate = saved.value_of<double>("lr");
  const double before = saved.value_of(key, saved_rate);
  const bool given = saved.given(key);
  if (!given) value = saved.given("lr") ? rate : before;
  const bool with_both = !given && before == saved_rate;
  if (*value != before && !with_both) say_change(key, *value, before);
}

// What cannot change within a run.
std::set<std::string> fixed_flags() {
  std::set<std::string> fixed = {"data", "model", "base", "loss", "batch", "ema", "seed"};
  fixed.insert({"penalty", "penalty-weight", "penalty-every", "clip-weights", "d-steps"});
  fixed.insert({"beta1", "beta2", "smooth", "instance-noise", "instance-noise-steps", "augment"});
  fixed.insert({"labels", "conditioning", "class-weight", "classify-fakes", "balance-classes"});
  return fixed;
}

}  // namespace

void add_gan_flags(Flags& flags, GanFlags& f) {
  add_train_flags(flags, f.train);
  flags.explain("--batch", "Images of each update");
  flags.explain("--lr", "Learning rate of both networks, but for --lr-g and --lr-d");
  flags.choice("--model", f.model, models::gan_names(), "Networks");
  flags.number("--base", f.base, 1, 1024,
               "Width of the networks; the seed models have none to choose");
  add_objective_flags(flags, f);
  add_score_flags(flags, f.score);
  add_optimiser_flags(flags, f);
  add_conditional_flags(flags, f);
}

void take_saved_flags(const Flags& flags, GanFlags& f) {
  const SavedFlags saved(flags, f.train.out, models::gan_names(), fixed_flags());
  const GanFlags defaults;
  saved.take(f.train);
  saved.take("model", f.model);
  saved.take("base", f.base);
  saved.take("loss", f.loss);
  saved.take("ema", f.ema);
  saved.take("penalty", f.penalty, defaults.penalty);
  saved.take("penalty-weight", f.penalty_weight, defaults.penalty_weight);
  saved.take("penalty-every", f.penalty_every, defaults.penalty_every);
  saved.take("clip-weights", f.clip_weights, defaults.clip_weights);
  saved.take("d-steps", f.d_steps, defaults.d_steps);
  saved.take("beta1", f.beta1, defaults.beta1);
  saved.take("beta2", f.beta2, defaults.beta2);
  saved.take("smooth", f.smooth, defaults.smooth);
  saved.take("instance-noise", f.instance_noise, defaults.instance_noise);
  saved.take("instance-noise-steps", f.instance_noise_steps, defaults.instance_noise_steps);
  saved.take("augment", f.augment, defaults.augment);
  saved.take("labels", f.labels, defaults.labels);
  saved.take("conditioning", f.conditioning, defaults.conditioning);
  saved.take("class-weight", f.class_weight, defaults.class_weight);
  saved.take("classify-fakes", f.classify_fakes, defaults.classify_fakes);
  saved.take("balance-classes", f.balance_classes, defaults.balance_classes);
  take_rate(saved, "lr-g", f.train.lr, f.lr_g);
  take_rate(saved, "lr-d", f.train.lr, f.lr_d);
  saved.take(f.score);
  saved.require(f.base >= 1 && f.base <= 1024 && *f.lr_g > 0 && *f.lr_d > 0 && f.ema >= 0 &&
                f.ema < 1 && f.class_weight >= 0);
  // What was given is judged by settle(), which names the flag: the file is to blame for what it
  // says alone. Of the flags that may change, only this one may not go with the others.
  GanFlags before = f;
  before.train.skip_broken = saved.value_of<bool>("skip-broken");
  try {
    if (before.conditional()) {
      check_conditional(before);
    } else {
      check_gan_options(trainer_options(before));
    }
  } catch (const std::exception& error) {
    saved.require(false, error.what());
  }
}

void settle(const Flags& flags, GanFlags& f) {
  check_given(flags, f);
  settle(f.score, f.train);
  if (f.conditional() && !f.train.resume) set_conditional_defaults(flags, f);
  try {
    if (!f.lr_g) f.lr_g = f.train.lr;
    if (!f.lr_d) f.lr_d = f.train.lr;
    if (f.conditional()) return check_conditional(f);
    if (f.instance_noise > 0 && f.instance_noise_steps == 0) f.instance_noise_steps = f.train.steps;
    check_gan_options(trainer_options(f));
    models::check_gan_spec({f.model, f.base});
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

Json to_json(const GanFlags& f) {
  Json json = {{"model", f.model}};
  json.update(to_json(f.train));
  json.update(Json{{"base", f.base},
                   {"loss", f.loss},
                   {"ema", f.ema},
                   {"lr-g", f.lr_g.value_or(f.train.lr)},
                   {"lr-d", f.lr_d.value_or(f.train.lr)},
                   {"beta1", f.beta1},
                   {"beta2", f.beta2}});
  if (f.conditional()) {
    json.update(Json{{"labels", f.labels},
                     {"conditioning", f.conditioning},
                     {"class-weight", f.class_weight},
                     {"classify-fakes", f.classify_fakes},
                     {"balance-classes", f.balance_classes}});
  } else {
    json.update(Json{{"penalty", f.penalty},
                     {"penalty-weight", f.penalty_weight},
                     {"penalty-every", f.penalty_every},
                     {"clip-weights", f.clip_weights},
                     {"d-steps", f.d_steps},
                     {"smooth", f.smooth},
                     {"instance-noise", f.instance_noise},
                     {"instance-noise-steps", f.instance_noise_steps},
                     {"augment", f.augment}});
  }
  json.update(to_json(f.score));
  return json;
}

models::GanTrainerOptions trainer_options(const GanFlags& f) {
  models::GanTrainerOptions t;
  t.loss = models::gan_loss(f.loss);
  t.lr = f.train.lr;
  t.lr_g = f.lr_g;
  t.lr_d = f.lr_d;
  t.beta1 = f.beta1;
  t.beta2 = f.beta2;
  t.ema = f.ema;
  t.seed = f.train.seed;
  t.penalty = models::gan_penalty(f.penalty);
  t.penalty_weight = f.penalty_weight;
  t.penalty_every = f.penalty_every;
  t.clip_weights = f.clip_weights;
  t.d_steps = f.d_steps;
  t.real_target = f.smooth;
  t.instance_noise = f.instance_noise;
  t.noise_steps = f.instance_noise_steps;
  t.augment = models::diff_augment_policy(f.augment);
  return t;
}

models::ConditionalGanSpec conditional_spec(const GanFlags& f, int classes) {
  return {.classes = classes,
          .conditioning = models::conditioning_named(f.conditioning),
          .image = models::resnet_options({f.model, f.base}).image,
          .base = f.base};
}

models::ConditionalGanTrainerOptions conditional_options(const GanFlags& f) {
  return {.loss = models::conditional_loss_named(f.loss),
          .lr_g = f.lr_g.value_or(f.train.lr),
          .lr_d = f.lr_d.value_or(f.train.lr),
          .beta1 = f.beta1,
          .beta2 = f.beta2,
          .class_weight = f.class_weight,
          .classify_fakes = f.classify_fakes,
          .ema = f.ema,
          .seed = f.train.seed};
}

}  // namespace imago::apps
