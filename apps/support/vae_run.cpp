#include "apps/support/vae_run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "data/image.h"
#include "models/gan_objective.h"

namespace imago::apps {
namespace {

constexpr std::int64_t probe_images = 64;
constexpr std::int64_t bound_images = 16;  // of these, for the bound of many samples
constexpr int traversed = 8;               // latents

// D's loss where it cannot tell: one image in three is real, and its best answer is to say so of
// all, log 3 + 2 log 3/2. And the GAN's loss of the decoder there, 2 log 3.
constexpr double loss_d_in_doubt = 1.9095425048844386;
constexpr double loss_gan_in_doubt = 2.1972245773362196;
// The first with one fake for each real image, as GanDiagnosis knows it.
constexpr double two_log_two = 1.3862943611198906;

std::unique_ptr<models::VaeTrainer> make_trainer(const VaeFlags& f) {
  models::VaeTrainerOptions t;
  t.lr = f.train.lr;
  t.kl_weight = f.beta;
  t.kl_warmup = f.kl_warmup;
  t.free_bits = f.free_bits;
  t.seed = f.train.seed;
  if (f.adversarial == 0) return std::make_unique<models::VaeTrainer>(models::Vae(f.model), t);
  t.beta1 = 0.5;  // as of a GAN: what a player learns from changes from step to step
  return std::make_unique<models::VaeGanTrainer>(models::Vae(f.model), gan_options(f), t);
}

// The first images of a stream that is not mirrored, on the device of the Context.
Tensor load_probe(const VaeFlags& f) {
  const data::FacesOptions one{.size = f.model.image,
                               .batch = 1,
                               .seed = f.train.seed,
                               .flip = false,
                               .skip_broken = f.train.skip_broken};
  data::FacesOptions all = one;
  all.batch = static_cast<int>(std::min(data::Faces(f.train.data, one).size(), probe_images));
  all.prefetch = 1;
  return data::Faces(f.train.data, all).first_batch(Context::current().device);
}

void settle_adversary(const Flags& flags, VaeFlags& f) {
  if (f.adversarial == 0) {
    if (!flags.given("--feature-layer")) return;
    throw UsageError("--feature-layer is of a VAE-GAN's discriminator; give --adversarial too");
  }
  if (flags.given("--iwae") && f.iwae > 0) {
    throw UsageError(
        "--iwae: bounds are of the likelihood of pixels, which --adversarial replaces; leave one "
        "of them out");
  }
  f.iwae = 0;
}

// What a step of a VAE-GAN has besides.
void add_figures(const models::VaeAdversary& a, StepFigures& figures) {
  const auto belief = [](const Var& logits) {
    return models::mean_belief(models::GanLoss::nonsaturating, logits);
  };
  const double loss_d = a.loss_d.item(), loss_gan = a.loss_gan.item();
  char text[64];
  std::snprintf(text, sizeof text, "  D %.3f GAN %.3f", loss_d, loss_gan);
  figures.text += text;
  figures.row.update(Json{{"loss_d", loss_d},
                          {"loss_gan", loss_gan},
                          {"d_real", belief(a.logits_real)},
                          {"d_reconstructed", belief(a.logits_reconstructed)},
                          {"d_drawn", belief(a.logits_drawn)},
                          {"pull_features", a.pull_features.item()},
                          {"pull_gan", a.pull_gan.item()}});
  figures.finite = figures.finite && std::isfinite(loss_d) && std::isfinite(loss_gan);
}

// `iwae`: samples of that bound, 0 where there is none.
std::vector<Panel> vae_panels(const std::vector<Json>& rows, int iwae) {
  std::vector<Series> bounds;
  if (iwae > 0) {
    bounds.push_back(series(rows, "ELBO", "elbo_of_iwae"));
    bounds.push_back(series(rows, ("IWAE " + std::to_string(iwae)).c_str(), "iwae"));
  } else {
    bounds.push_back(series(rows, "ELBO", "elbo"));
  }
  return {{"Nats per image",
           {series(rows, "loss", "loss"), series(rows, "-log p(x|z)", "reconstruction")}},
          {"KL, nats per image", {series(rows, "KL", "kl")}, {{"0: nothing in z", 0.0}}},
          {"Bounds on log p(x), nats per image", bounds},
          {"Active latents", {series(rows, "active", "active_units")}, {{"0", 0.0}}}};
}
std::vector<Panel> vae_gan_panels(const std::vector<Json>& rows) {
  return {{"Nats per image",
           {series(rows, "loss", "loss"), series(rows, "-log p(features|z)", "reconstruction")}},
          {"KL, nats per image", {series(rows, "KL", "kl")}, {{"0: nothing in z", 0.0}}},
          {"GAN",
           {series(rows, "D", "loss_d"), series(rows, "decoder", "loss_gan")},
           {{"1.91: D cannot tell", loss_d_in_doubt}, {"2.20: decoder there", loss_gan_in_doubt}}},
          {"Pull on the decoded images",
           {series(rows, "features", "pull_features"), series(rows, "GAN", "pull_gan")},
           {{"0", 0.0}}},
          {"Active latents", {series(rows, "active", "active_units")}, {{"0", 0.0}}}};
}

}  // namespace

models::VaeGanOptions gan_options(const VaeFlags& f) {
  return {.weight = f.adversarial, .feature_layer = f.feature_layer};
}

void add_vae_flags(Flags& flags, VaeFlags& f) {
  add_train_flags(flags, f.train);
  flags.choice("--image", f.model.image, {16, 32, 64, 128}, "Height and width: 16, 32, 64 or 128");
  flags.number("--base", f.model.base, 1, 1024, "Channels at half the image size");
  flags.number("--latent", f.model.latent, 1, 65536, "Length of z");
  flags.choice("--likelihood", f.likelihood, models::likelihood_names(),
               "What the decoder says about pixels");
  flags.number(
      "--sigma", f.model.sigma, 1e-4, 100,
      "Of Gaussian pixels, images being in -1 to 1, or where a learned one starts; bernoulli has "
      "none");
  flags.number("--beta", f.beta, 0, 1e6, "Weight of the KL; 1 is the ELBO");
  flags.number("--kl-warmup", f.kl_warmup, 0, 0x7fffffff,
               "Steps over which that weight grows from 0");
  flags.number("--free-bits", f.free_bits, 0, 1000, "Nats of each latent that cost nothing");
  flags.number("--iwae", f.iwae, 0, 65536,
               "Samples of the importance-weighted bound; 0: do without");
  flags.number("--adversarial", f.adversarial, 0, 1e9,
               "Makes it a VAE-GAN: reconstructions are compared by the features of a "
               "discriminator, whose verdict has this weight for the decoder; 0: a plain VAE");
  flags.number("--feature-layer", f.feature_layer, 0, 5,
               "Of the discriminator, from 1 next to the pixels; 0: the last");
  flags.choice("--interpolation", f.interpolation, {"linear", "spherical"},
               "Way between two images: linear or spherical");
  add_score_flags(flags, f.score);
}

Json to_json(const VaeFlags& f) {
  Json json = {{"model", "vae"}};
  json.update(to_json(f.train));
  json.update(Json{{"image", f.model.image},
                   {"base", f.model.base},
                   {"latent", f.model.latent},
                   {"likelihood", f.likelihood},
                   {"sigma", f.model.sigma},
                   {"beta", f.beta},
                   {"kl-warmup", f.kl_warmup},
                   {"free-bits", f.free_bits},
                   {"adversarial", f.adversarial},
                   {"feature-layer", f.feature_layer},
                   {"iwae", f.iwae},
                   {"interpolation", f.interpolation}});
  json.update(to_json(f.score));
  return json;
}

void take_saved_flags(const Flags& flags, VaeFlags& f) {
  const SavedFlags saved(flags, f.train.out, {"vae"},
                         {"data", "batch", "seed", "image", "base", "latent", "likelihood", "sigma",
                          "beta", "kl-warmup", "free-bits", "adversarial", "feature-layer"});
  saved.take(f.train);
  saved.take("image", f.model.image);
  saved.take("base", f.model.base);
  saved.take("latent", f.model.latent);
  saved.take("likelihood", f.likelihood);
  saved.take("sigma", f.model.sigma);
  saved.take("beta", f.beta);
  saved.take("kl-warmup", f.kl_warmup);
  saved.take("free-bits", f.free_bits);
  // Younger than some runs.
  saved.take("adversarial", f.adversarial, 0.0);
  saved.take("feature-layer", f.feature_layer, 0);
  saved.take("iwae", f.iwae);
  saved.take("interpolation", f.interpolation);
  saved.take(f.score);
  const std::vector<std::string>& names = models::likelihood_names();
  saved.require(std::find(names.begin(), names.end(), f.likelihood) != names.end() && f.beta >= 0 &&
                f.kl_warmup >= 0 && f.free_bits >= 0 && f.iwae >= 0 && f.adversarial >= 0);
}

void settle(const Flags& flags, VaeFlags& f) {
  f.model.likelihood = models::likelihood_named(f.likelihood);
  settle_adversary(flags, f);
  if (f.model.likelihood == models::Likelihood::bernoulli && flags.given("--sigma")) {
    throw UsageError(
        "--sigma is of Gaussian pixels, and --likelihood bernoulli has none: leave one of the two "
        "out");
  }
  settle(f.score, f.train);
  try {
    models::check_vae_options(f.model);
    if (f.adversarial > 0) models::check_vae_gan_options(f.model, gan_options(f));
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

VaeTraining::VaeTraining(const VaeFlags& flags)
    : flags_(flags),
      folder_(flags.train.out),
      own_trainer_(make_trainer(flags)),
      probe_(load_probe(flags)),
      fixed_noise_(fixed_noise(flags.train.seed, flags.model.latent)) {
  if (flags.score.every == 0) return;
  scores_.emplace(flags.score, flags.train, flags.model.image, flags.model.latent,
                  [this](const Tensor& z, std::int64_t) { return trainer_.vae().generate(z); });
}

models::VaeGanDiscriminator* VaeTraining::discriminator() {
  auto* trainer = dynamic_cast<models::VaeGanTrainer*>(own_trainer_.get());
  return trainer ? &trainer->discriminator() : nullptr;
}

StepFigures VaeTraining::figures() {
  const double loss = last_.loss.item(), reconstruction = last_.reconstruction.item();
  const double kl = last_.kl.item();
  char text[128];
  std::snprintf(text, sizeof text, "loss %.1f  reconstruction %.1f  KL %.2f nats/image", loss,
                reconstruction, kl);
  StepFigures figures{text, {}, std::isfinite(loss) && std::isfinite(kl)};
  figures.row = {{"loss", loss},
                 {"reconstruction", reconstruction},
                 {"kl", kl},
                 {"beta", trainer_.kl_weight_at(trainer_.steps_done())}};
  const Var& log_sigma = trainer_.vae().log_sigma();
  if (log_sigma) figures.row["sigma"] = std::exp(log_sigma.item());
  if (has_discriminator()) add_figures(last_.adversary, figures);
  return figures;
}

bool VaeTraining::discriminator_wins(const Json& row) {
  const auto loss_d = row.find("loss_d");
  if (loss_d == row.end() || !loss_d->is_number()) return false;  // null: it was not finite
  const double loss = loss_d->get<double>() * two_log_two / loss_d_in_doubt;
  return of_discriminator_.see_loss_d(row.at("step").get<std::int64_t>(), loss).has_value();
}

void VaeTraining::see_again(const std::vector<Json>& rows) {
  for (const Json& row : rows) discriminator_wins(row);
}

void VaeTraining::judge(Json& row, Progress& progress) {
  if (discriminator_wins(row)) {
    progress.finish();
    std::fprintf(
        stderr,
        "train_vae: D wins: its loss stays near 0, so that its verdict teaches the decoder "
        "little; its features still do. A smaller --lr or another --seed helps\n");
    row["warnings"].push_back("D wins");
  }
  if (!row.contains("collapsed")) return;  // no pictures, nothing new
  if (!diagnosis_.empty() && !told_) {
    progress.finish();
    std::fprintf(stderr, "train_vae: %s\n", diagnosis_.c_str());
  }
  told_ = !diagnosis_.empty();
}

void VaeTraining::write(const char* what, const Sheet& sheet) const {
  std::filesystem::path file = folder_.sample(trainer_.steps_done());
  if (*what) file.replace_filename(file.stem().string() + "-" + what + ".png");
  data::save_png(file, data::image_grid(sheet.images, sheet.rows, sheet.columns));
}

Json VaeTraining::write_pictures() {
  models::Vae& vae = trainer_.vae();
  const std::uint64_t seed = flags_.train.seed;
  const models::VaeEvaluation all =
      models::evaluate_vae(vae, probe_, {.samples = 1, .chunk = probe_images, .seed = seed});
  Json row = {{"active_units", all.active_units}, {"probe_kl", all.kl}};
  if (!has_discriminator()) row["elbo"] = all.elbo;
  if (flags_.iwae > 0) {
    const Tensor few = probe_.slice(0, std::min(probe_.size(0), bound_images));
    const models::VaeEvaluation bound =
        models::evaluate_vae(vae, few, {.samples = flags_.iwae, .seed = seed});
    // Of the same images and samples, which those above are not.
    row["elbo_of_iwae"] = bound.sampled_elbo;
    row["iwae"] = bound.iwae;
  }
  const bool judged = trainer_.steps_done() > 0 && trainer_.warm();
  diagnosis_ = judged ? models::posterior_collapse(all) : "";
  row["collapsed"] = !diagnosis_.empty();

  write("", sample_sheet(vae, fixed_noise_, sample_grid, sample_grid));
  if (probe_.size(0) >= 4) write("reconstructions", reconstruction_sheet(vae, probe_));
  if (probe_.size(0) >= 2) {
    write("interpolation",
          interpolation_sheet(vae, probe_,
                              flags_.interpolation == "linear" ? models::LatentPath::linear
                                                               : models::LatentPath::spherical));
  }
  std::vector<int> latents = all.by_activity();
  latents.resize(std::min<std::size_t>(latents.size(), traversed));
  write("traversals", traversal_sheet(vae, probe_, latents));
  return row;
}

std::string VaeTraining::chart(const std::vector<Json>& rows) const {
  std::vector<Panel> panels =
      has_discriminator() ? vae_gan_panels(rows) : vae_panels(rows, flags_.iwae);
  for (const Panel& panel : score_panels(rows)) panels.push_back(panel);
  return svg_chart("step", panels);
}

}  // namespace imago::apps
