#include "apps/support/gan_flags.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <set>
#include <type_traits>

#include "apps/support/cli.h"
#include "apps/support/device.h"

namespace imago::apps {
namespace {

// Written alike however it was given: a resumed run compares it.
CLI::Validator augment_policy() {
  return CLI::Validator(
      [](std::string& text) {
        try {
          text = name_of(models::diff_augment_policy(text));
          return std::string();
        } catch (const Error& error) {
          return std::string(error.what());
        }
      },
      "POLICY");
}

// What D and G minimise, and what D sees.
void add_objective_flags(CLI::App& app, GanRunOptions& o) {
  app.add_option(
         "--loss", o.loss,
         "What D and G minimise; wasserstein needs gp, --clip-weights or a D with spectral norm")
      ->check(CLI::IsMember(models::gan_loss_names()))
      ->capture_default_str();
  app.add_option("--penalty", o.penalty,
                 "On D's gradient at images: gp (WGAN-GP) or r1; for a D without batch norm")
      ->check(CLI::IsMember(models::gan_penalty_names()))
      ->capture_default_str();
  app.add_option("--penalty-weight", o.penalty_weight,
                 "lambda of gp; gamma of r1, half of which multiplies it")
      ->check(number_within(1e-9, 1e9))
      ->capture_default_str();
  app.add_option("--penalty-every", o.penalty_every,
                 "Take the penalty at each k-th update of D, with k times the weight")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--clip-weights", o.clip_weights,
                 "Cut D's weights to plus and minus this after each update (WGAN: 0.01); 0: no")
      ->check(number_within(0.0, 1e3))
      ->capture_default_str();
  app.add_option("--d-steps", o.d_steps,
                 "Updates of D before each of G, each with --batch real images of its own")
      ->check(CLI::Range(1, models::most_d_steps))
      ->capture_default_str();
  app.add_option("--smooth", o.smooth,
                 "What D is to say of real images, such as 0.9; for the losses that have a target")
      ->check(number_within(1e-3, 1.0))
      ->capture_default_str();
  app.add_option("--instance-noise", o.instance_noise,
                 "Standard deviation of noise on all that D sees, which fades to 0")
      ->check(number_within(0.0, 10.0))
      ->capture_default_str();
  app.add_option("--instance-noise-steps", o.instance_noise_steps,
                 "Steps in which the noise fades; 0: --steps of the run's first start")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{0x7fffffff}))
      ->capture_default_str();
  app.add_option("--augment", o.augment,
                 "DiffAugment on all that D sees: colour, translation and cutout, those that you "
                 "want with commas between, or none")
      ->transform(augment_policy())
      ->capture_default_str();
}

void add_optimiser_flags(CLI::App& app, GanRunOptions& o) {
  app.add_option("--lr-g", o.lr_g, "Learning rate of the generator alone")
      ->check(number_within(1e-8, 1.0));
  app.add_option("--lr-d", o.lr_d, "Learning rate of the discriminator alone")
      ->check(number_within(1e-8, 1.0));
  app.add_option("--beta1", o.beta1, "Of Adam; WGAN-GP takes 0")
      ->check(number_within(0.0, 0.9999))
      ->capture_default_str();
  app.add_option("--beta2", o.beta2, "Of Adam; WGAN-GP takes 0.9")
      ->check(number_within(0.0, 0.999999))
      ->capture_default_str();
}

// Flags that a run of before them was without.
const std::set<std::string>& newer_flags() {
  static const std::set<std::string> flags = {
      "penalty", "penalty-weight", "penalty-every",  "clip-weights",         "d-steps", "beta1",
      "beta2",   "smooth",         "instance-noise", "instance-noise-steps", "augment"};
  return flags;
}

bool may_not_change(const std::string& key) {
  static const std::set<std::string> flags = {"data",  "model", "base", "loss",
                                              "batch", "ema",   "seed"};
  return flags.contains(key) || newer_flags().contains(key);
}

// Takes values of config.json up where flags were not given.
class SavedFlags {
 public:
  SavedFlags(const CLI::App& app, const std::filesystem::path& file) : app_(app), file_(file) {
    check(std::filesystem::exists(file), "resume", "there is no run to resume: ", file,
          " does not exist");
    saved_ = Json::parse(read_text(file), nullptr, false);
    check(saved_.is_object(), "resume", file, " is not JSON; restore it or start a new run");
  }

  template <class T>
  void take(const std::string& key, T& value, const T& fallback) const {
    if (!saved_.contains(key) && !newer_flags().contains(key)) {
      fail("resume", file_, " lacks ", key, "; restore it or start a new run");
    }
    const T before = saved_.contains(key) ? as<T>(key) : fallback;
    if (app_.count("--" + key) == 0) {
      value = before;
    } else if (value != before && may_not_change(key)) {
      throw UsageError("--" + key + " is " + Json(before).dump() + " in " + file_.string() +
                       " and cannot change within a run; leave the flag out or start a new run");
    } else if constexpr (std::is_same_v<T, double>) {
      if (value != before) say_change(key, value, before);
    }
  }

  // A rate of one network: as given, or that of both as given, or as saved, or as saved of both.
  // Where it went with that of both and still does, what was said of that is enough.
  void take_rate(const std::string& key, std::optional<double>& value, double rate,
                 double saved_rate) const {
    const double before = saved_.contains(key) ? as<double>(key) : saved_rate;
    const bool given = app_.count("--" + key) > 0;
    if (!given) value = app_.count("--lr") > 0 ? rate : before;
    const bool with_both = !given && before == saved_rate;
    if (*value != before && !with_both) say_change(key, *value, before);
  }

  double rate_of_both() const { return as<double>("lr"); }

 private:
  template <class T>
  T as(const std::string& key) const {
    try {
      return saved_.at(key).get<T>();
    } catch (const Json::exception&) {
      fail("resume", file_, ": ", key, " cannot be ",
           saved_.contains(key) ? saved_.at(key).dump() : std::string("missing"),
           "; restore it or start a new run");
    }
  }
  void say_change(const std::string& key, double value, double before) const {
    std::printf("From here on --%s is %g, not %g.\n", key.c_str(), value, before);
  }

  const CLI::App& app_;
  std::filesystem::path file_;
  Json saved_;
};

}  // namespace

void add_gan_run_flags(CLI::App& app, GanRunOptions& o) {
  app.add_option("--data", o.data, "Folder of images, or procedural")->capture_default_str();
  app.add_option("--model", o.model, "Networks")
      ->check(CLI::IsMember(models::gan_names()))
      ->capture_default_str();
  app.add_option("--base", o.base, "Width of the networks; the seed models have none to choose")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  add_objective_flags(app, o);
  app.add_option("--steps", o.steps, "Steps to reach in all, also with --resume")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{0x7fffffff}))
      ->capture_default_str();
  app.add_option("--batch", o.batch, "Images of each update")
      ->check(CLI::Range(2, 65536))
      ->capture_default_str();
  app.add_option("--lr", o.lr, "Learning rate of both networks, but for --lr-g and --lr-d")
      ->check(number_within(1e-8, 1.0))
      ->capture_default_str();
  add_optimiser_flags(app, o);
  app.add_option("--ema", o.ema,
                 "Samples come from a moving average of the generator with this decay; 0: none")
      ->check(number_within(0.0, 0.99999))
      ->capture_default_str();
  app.add_option("--seed", o.seed, "Of weights, noise and the order of images")
      ->check(whole_number())
      ->capture_default_str();
  app.add_option("--out", o.out, "Folder to write into")->capture_default_str();
  app.add_option("--sample-every", o.sample_every,
                 "Steps between sample grids; there is one at the end too")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{0x7fffffff}))
      ->capture_default_str();
  app.add_option("--checkpoint-every", o.checkpoint_every, "Steps between checkpoints")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{0x7fffffff}))
      ->capture_default_str();
  app.add_flag("--skip-broken", o.skip_broken,
               "Take the next good image for one that cannot be loaded, and say so");
  add_device_flag(app, o.device);
  app.add_option("--threads", o.threads, "CPU threads; 0 means all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

void take_saved_flags(const CLI::App& app, GanRunOptions& o) {
  const std::filesystem::path file = std::filesystem::path(o.out) / "config.json";
  const SavedFlags saved(app, file);
  const GanRunOptions defaults;
  const double rate_before = saved.rate_of_both();
  const auto take = [&]<class T>(const char* key, T& value, const T& fallback) {
    saved.take(key, value, fallback);
  };
  take("data", o.data, defaults.data);
  take("model", o.model, defaults.model);
  take("base", o.base, defaults.base);
  take("loss", o.loss, defaults.loss);
  take("steps", o.steps, defaults.steps);
  take("batch", o.batch, defaults.batch);
  take("lr", o.lr, defaults.lr);
  take("ema", o.ema, defaults.ema);
  take("seed", o.seed, defaults.seed);
  take("sample-every", o.sample_every, defaults.sample_every);
  take("checkpoint-every", o.checkpoint_every, defaults.checkpoint_every);
  take("threads", o.threads, defaults.threads);
  take("skip-broken", o.skip_broken, defaults.skip_broken);
  take("penalty", o.penalty, defaults.penalty);
  take("penalty-weight", o.penalty_weight, defaults.penalty_weight);
  take("penalty-every", o.penalty_every, defaults.penalty_every);
  take("clip-weights", o.clip_weights, defaults.clip_weights);
  take("d-steps", o.d_steps, defaults.d_steps);
  take("beta1", o.beta1, defaults.beta1);
  take("beta2", o.beta2, defaults.beta2);
  take("smooth", o.smooth, defaults.smooth);
  take("instance-noise", o.instance_noise, defaults.instance_noise);
  take("instance-noise-steps", o.instance_noise_steps, defaults.instance_noise_steps);
  take("augment", o.augment, defaults.augment);
  saved.take_rate("lr-g", o.lr_g, o.lr, rate_before);
  saved.take_rate("lr-d", o.lr_d, o.lr, rate_before);
  const char* const what = " holds a value out of range; restore it or start a new run";
  check(o.steps >= 1 && o.batch >= 2 && o.sample_every >= 1 && o.checkpoint_every >= 1 &&
            o.threads >= 0 && o.base >= 1 && o.base <= 1024 && o.lr > 0 && *o.lr_g > 0 &&
            *o.lr_d > 0 && o.ema >= 0 && o.ema < 1,
        "resume", file, what);
  try {
    check_gan_options(trainer_options(o));
  } catch (const Error& error) {
    fail("resume", file, what, " (", error.what(), ")");
  }
}

void settle_flags(GanRunOptions& o) {
  try {
    if (!o.lr_g) o.lr_g = o.lr;
    if (!o.lr_d) o.lr_d = o.lr;
    if (o.instance_noise > 0 && o.instance_noise_steps == 0) o.instance_noise_steps = o.steps;
    check_gan_options(trainer_options(o));
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

Json to_json(const GanRunOptions& o) {
  return {{"data", o.data},
          {"model", o.model},
          {"base", o.base},
          {"loss", o.loss},
          {"steps", o.steps},
          {"batch", o.batch},
          {"lr", o.lr},
          {"ema", o.ema},
          {"seed", o.seed},
          {"sample-every", o.sample_every},
          {"threads", o.threads},
          {"skip-broken", o.skip_broken},
          {"checkpoint-every", o.checkpoint_every},
          {"lr-g", o.lr_g.value_or(o.lr)},
          {"lr-d", o.lr_d.value_or(o.lr)},
          {"beta1", o.beta1},
          {"beta2", o.beta2},
          {"penalty", o.penalty},
          {"penalty-weight", o.penalty_weight},
          {"penalty-every", o.penalty_every},
          {"clip-weights", o.clip_weights},
          {"d-steps", o.d_steps},
          {"smooth", o.smooth},
          {"instance-noise", o.instance_noise},
          {"instance-noise-steps", o.instance_noise_steps},
          {"augment", o.augment}};
}

models::GanTrainerOptions trainer_options(const GanRunOptions& o) {
  models::GanTrainerOptions t;
  t.loss = models::gan_loss(o.loss);
  t.lr = o.lr;
  t.lr_g = o.lr_g;
  t.lr_d = o.lr_d;
  t.beta1 = o.beta1;
  t.beta2 = o.beta2;
  t.ema = o.ema;
  t.seed = o.seed;
  t.penalty = models::gan_penalty(o.penalty);
  t.penalty_weight = o.penalty_weight;
  t.penalty_every = o.penalty_every;
  t.clip_weights = o.clip_weights;
  t.d_steps = o.d_steps;
  t.real_target = o.smooth;
  t.instance_noise = o.instance_noise;
  t.noise_steps = o.instance_noise_steps;
  t.augment = models::diff_augment_policy(o.augment);
  return t;
}

}  // namespace imago::apps
