#include "apps/support/training_scores.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/support/train_loop.h"
#include "data/faces.h"

namespace imago::apps {
namespace {

constexpr std::int64_t batch = 64;  // images drawn at a time
// Draw 0 of the step of fixed noise is that of the pictures.
constexpr std::uint32_t noise_draw = 1;

// b may be one too many: printf ignores it.
std::string formatted(const char* format, double a, double b = 0) {
  char text[160];
  std::snprintf(text, sizeof text, format, a, b);
  return text;
}

// So many images of a folder, in random order, none of them mirrored: (count, S, S, 3), f32 on the
// CPU.
Tensor real_images(const TrainFlags& train, int image, std::int64_t count) {
  return data::Faces(train.data, {.size = image,
                                  .batch = static_cast<int>(count),
                                  .seed = train.seed,
                                  .workers = 1,
                                  .prefetch = 1,
                                  .flip = false,
                                  .skip_broken = train.skip_broken})
      .first_batch(Device::cpu());
}

const Json* any_row_with(const std::vector<Json>& rows, const char* key) {
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const Json& row) { return row.contains(key); });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace

std::int64_t least_score_images() {
  return std::max<std::int64_t>(8, models::ScoreOptions{}.neighbours + 1);
}

TrainingScores::TrainingScores(const ScoreFlags& flags, const TrainFlags& train, int image,
                               std::int64_t length, Draw draw)
    : flags_(flags),
      train_(train),
      image_(image),
      noise_(fixed_noise(train.seed, length, flags.images, noise_draw)),
      draw_(std::move(draw)) {
  check(flags.every > 0 && flags.images >= least_score_images(), "scores",
        "needs settled flags: steps to score at, and at least ", least_score_images(), " images");
}

void TrainingScores::prepare() {
  network_.emplace(models::face_features());
  real_ = network_->features_of(real_images(train_, image_, flags_.images));
  const auto count = static_cast<long long>(flags_.images);
  std::printf(
      "Scores every %lld steps: %lld images drawn from the same noise against %lld of %s,\n"
      "on %d features of %s\n",
      static_cast<long long>(flags_.every), count, count, train_.data.c_str(),
      models::FaceFeatures::dimensions, network_->label().c_str());
  if (flags_.images <= models::FaceFeatures::dimensions) {
    std::printf(
        "note: with no more images than features the Fréchet distance is mostly bias; "
        "take more than %d\n",
        models::FaceFeatures::dimensions);
  }
}

void TrainingScores::see_again(const std::vector<Json>& rows) {
  check(network_.has_value(), "scores", "prepare() comes first");
  for (const Json& row : rows) {
    if (!row.contains("frechet") || !row.at("frechet").is_number()) continue;
    const auto label = row.value("score_features", std::string());
    check(label == network_->label(), "scores", "this run was scored on ", label,
          " so far, and would be on ", network_->label(),
          " now, which do not compare; bring those weights back, or go on with --score-every 0");
    const auto images = row.value("score_images", std::int64_t{0});
    check(images == flags_.images, "scores", "this run was scored on ", images,
          " images of each kind so far, and would be on ", flags_.images,
          " now, which do not compare; go on with --score-images ", images,
          " or with --score-every 0");
    take(row.at("step").get<std::int64_t>(), row.at("frechet").get<double>());
  }
}

void TrainingScores::take(std::int64_t step, double frechet) {
  if (!std::isfinite(frechet)) return;  // no distance, and nothing would ever be below it
  figure_ = frechet;
  if (step == 0) {
    untrained_ = Point{step, frechet};
  } else if (!best_ || frechet < best_->frechet) {
    best_ = Point{step, frechet};
  }
}

Json TrainingScores::measure(std::int64_t step) {
  check(network_.has_value(), "scores", "prepare() comes first");
  const std::int64_t count = flags_.images;
  Tensor fake = Tensor::empty({count, models::FaceFeatures::dimensions}, DType::f32, Device::cpu());
  for (std::int64_t i = 0; i < count; i += batch) {
    const std::int64_t end = std::min(i + batch, count);
    fake.slice(i, end).copy_from(network_->features_of(draw_(noise_.slice(i, end), i)));
  }
  last_ = models::score(fake, real_);
  take(step, last_->frechet_distance());
  return {{"frechet", json_number(last_->frechet_distance())},
          {"frechet_at_infinity", json_number(last_->frechet.at_infinity)},
          {"kernel_distance", json_number(last_->kernel.value)},
          {"kernel_distance_error", json_number(last_->kernel.error)},
          {"sliced_wasserstein_of_features", json_number(last_->sliced_wasserstein)},
          {"precision", json_number(last_->manifold.precision)},
          {"recall", json_number(last_->manifold.recall)},
          {"density", json_number(last_->manifold.density)},
          {"coverage", json_number(last_->manifold.coverage)},
          {"score_images", count},
          {"score_features", network_->label()}};
}

std::string TrainingScores::text() const {
  if (!last_) return "";
  const models::Scores& s = *last_;
  return formatted("Fréchet distance %.4f, kernel distance %.5f", s.frechet_distance(),
                   s.kernel.value) +
         formatted(", sliced Wasserstein of features %.4f", s.sliced_wasserstein) +
         formatted(", precision %.3f, recall %.3f", s.manifold.precision, s.manifold.recall) +
         formatted(", density %.3f, coverage %.3f", s.manifold.density, s.manifold.coverage);
}

std::string TrainingScores::figure() const {
  // Letters of one byte: on a terminal the line is cut to its width.
  if (!figure_) return "";
  char text[48];
  std::snprintf(text, sizeof text, "  distance %.3f", *figure_);
  return text;
}

std::string TrainingScores::verdict() const {
  if (!best_) return "";
  std::string text = formatted("Best score: a Fréchet distance of %.4f after step %.0f",
                               best_->frechet, static_cast<double>(best_->step));
  if (untrained_) {
    text += formatted(", %.3f of the %.4f before training", best_->frechet / untrained_->frechet,
                      untrained_->frechet);
  }
  return text;
}

std::vector<Panel> score_panels(const std::vector<Json>& rows) {
  const Json* scored = any_row_with(rows, "frechet");
  if (!scored) return {};
  const std::string on = ", " + scored->value("score_features", std::string("features"));
  std::vector<Panel> panels;
  const auto add = [&](const std::string& title, const char* key) {
    // A run may have begun before there was such a score: its curve starts where there are some.
    if (!any_row_with(rows, key)) return;
    panels.push_back({title + on, {series(rows, "samples", key)}, {{"0: alike", 0.0}}});
  };
  add("Fréchet distance", "frechet");
  add("Kernel distance", "kernel_distance");
  add("Sliced Wasserstein distance", "sliced_wasserstein_of_features");
  panels.push_back({"Shares of the samples and of the real images",
                    {series(rows, "precision", "precision"), series(rows, "recall", "recall"),
                     series(rows, "coverage", "coverage")},
                    {{"1: all", 1.0}, {"0: none", 0.0}}});
  return panels;
}

}  // namespace imago::apps
