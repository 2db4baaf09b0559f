#include "apps/support/cnn_run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/support/training_warnings.h"
#include "autograd/ops/add.h"
#include "autograd/ops/scale.h"
#include "autograd/var.h"
#include "tensor/error.h"

namespace imago::apps {
namespace {

constexpr const char* accuracy_sum_key = "accuracy.sum";
// The training accuracy is a mean over the last fifty steps or so: each step weighs that much of the
// one after it.
constexpr double accuracy_decay = 0.98;

bool knows_classes(const CnnFlags& f) {
  return models::recognition_head(f.head) != models::RecognitionHead::triplet;
}

HeldOut make_held_out(const CnnFlags& f, const RecognitionData& data) {
  std::vector<std::string> known;
  if (knows_classes(f)) known = data.labels->classes;
  return HeldOut(data.held_out, of_people(models::recognition_head(f.head)), known,
                 f.faces.split_seed);
}

// What will be measured, and what cannot be.
void introduce(const HeldOut& held_out, bool of_people) {
  if (held_out.verifies()) {
    std::printf("Measured on all pairs of %lld held-out images of %lld people\n",
                static_cast<long long>(held_out.pairs_images()),
                static_cast<long long>(held_out.people()));
  } else if (of_people) {
    std::fprintf(stderr,
                 "train_cnn: the held-out images have no pairs both of one person and of two, so "
                 "verification is not measured; hold more out with --held-out\n");
  }
  if (held_out.classifies()) {
    std::printf("%s on the classes of %lld held-out images; the commonest one is %.1f%% of them\n",
                held_out.verifies() ? "And" : "Measured",
                static_cast<long long>(held_out.class_images()), 100 * held_out.chance());
  }
}

std::string text_of(const Json& row) {
  std::string text;
  char part[64];
  if (const auto auc = number_of(row, "auc")) {
    std::snprintf(part, sizeof part, "  AUC %.3f", *auc);
    text += part;
  }
  if (const auto accuracy = number_of(row, "verification_accuracy")) {
    std::snprintf(part, sizeof part, "  %.1f%% of pairs", 100 * *accuracy);
    text += part;
  }
  if (const auto accuracy = number_of(row, "held_out_accuracy")) {
    std::snprintf(part, sizeof part, "  %.1f%% right", 100 * *accuracy);
    text += part;
  }
  return text.empty() ? text : "  held out:" + text.substr(1);
}

}  // namespace

RecogniserTraining::RecogniserTraining(const CnnFlags& flags, const RecognitionData& data)
    : flags_(flags),
      folder_(flags.train.out),
      fingerprint_(data.fingerprint),
      trainer_(models::Recogniser(recogniser_options(flags, data.labels->classes)),
               trainer_options(flags)),
      held_out_(make_held_out(flags, data)),
      diagnosis_(flags.train.steps),
      accuracy_sum_(Tensor::zeros({})) {
  introduce(held_out_, of_people(models::recognition_head(flags.head)));
  check(held_out_.pairs_images() > 0 || held_out_.classifies(), "train_cnn",
        "none of the held-out images is of a class that is trained on; nothing can be measured");
  if (flags.init.empty() || flags.train.resume) return;
  const SafetensorsFile start = load_safetensors(flags.init);
  trainer_.start_from(models::load_recogniser(start));
  seen_ = seen_by(start);
  const std::string leak = leak_in(seen_, flags.faces, fingerprint_);
  if (!leak.empty()) std::fprintf(stderr, "train_cnn: --init: %s\n", leak.c_str());
}

void RecogniserTraining::step(const data::FacesBatch& batch) {
  last_ = {};  // what it holds is not needed beside the next one's
  last_ = trainer_.step(batch.real, batch.labels);
  if (!last_.accuracy) return;
  const NoGrad no_grad;
  accuracy_sum_ = ops::add(ops::scale(accuracy_sum_, accuracy_decay), last_.accuracy);
}

StepFigures RecogniserTraining::figures() {
  const double loss = last_.loss.item();
  char text[64];
  std::snprintf(text, sizeof text, "loss %.4f", loss);
  StepFigures figures{text, {{"loss", loss}}, std::isfinite(loss)};
  if (last_.accuracy) {
    const double weights =
        (1 - std::pow(accuracy_decay, trainer_.steps_done())) / (1 - accuracy_decay);
    const double accuracy = std::min(accuracy_sum_.item() / weights, 1.0);
    std::snprintf(text, sizeof text, "  %.1f%% right", 100 * accuracy);
    figures.text += text;
    figures.row["training_accuracy"] = accuracy;
  }
  figures.text += last_measure_;
  return figures;
}

Json RecogniserTraining::write_pictures() {
  const HeldOutMeasure m = held_out_.measure(trainer_.network());
  data::save_png(folder_.sample(trainer_.steps_done()), held_out_.picture());
  Json row = Json::object();
  if (m.auc) row["auc"] = json_number(*m.auc);
  if (m.verification_accuracy) {
    row["verification_accuracy"] = json_number(*m.verification_accuracy);
  }
  if (m.mean_cosine) row["mean_cosine"] = json_number(*m.mean_cosine);
  if (m.accuracy) row["held_out_accuracy"] = json_number(*m.accuracy);
  if (m.balanced_accuracy) row["balanced_accuracy"] = json_number(*m.balanced_accuracy);
  last_measure_ = text_of(row);
  return row;
}

std::vector<models::TrainingWarning> RecogniserTraining::see(const Json& row) {
  const auto step = row.at("step").get<std::int64_t>();
  std::vector<models::TrainingWarning> warnings;
  models::HeldOutFigures figures;
  figures.training_accuracy = number_of(row, "training_accuracy");
  figures.accuracy = number_of(row, "held_out_accuracy");
  figures.auc = number_of(row, "auc");
  figures.verification_accuracy = number_of(row, "verification_accuracy");
  figures.chance = held_out_.chance();
  if (figures.accuracy || figures.auc) {
    if (const auto warning = diagnosis_.see(step, figures)) warnings.push_back(*warning);
  }
  if (const auto cosine = number_of(row, "mean_cosine")) {
    if (const auto warning = diagnosis_.see_mean_cosine(step, *cosine)) {
      warnings.push_back(*warning);
    }
  }
  return warnings;
}

void RecogniserTraining::judge(Json& row, Progress& progress) {
  tell_warnings(see(row), row, progress);
}

void RecogniserTraining::see_again(const std::vector<Json>& rows) {
  for (const Json& row : rows) {
    see(row);
    const std::string text = text_of(row);
    if (!text.empty()) last_measure_ = text;
  }
}

NamedTensors RecogniserTraining::state() const {
  NamedTensors all = trainer_.state();
  all[accuracy_sum_key] = accuracy_sum_.tensor();
  return all;
}

Metadata RecogniserTraining::metadata() const {
  Metadata all = trainer_.metadata();
  all["catalogue"] = to_json(flags_.faces).dump(-1, ' ', true);
  all["catalogue_fingerprint"] = fingerprint_;
  if (!seen_.empty()) all[init_catalogues_key] = to_text(seen_);
  return all;
}

void RecogniserTraining::load(const SafetensorsFile& file) {
  trainer_.load(file);
  check(file.metadata_entry("catalogue_fingerprint") == fingerprint_, "resume", file.path,
        " was trained on other images: there are others now, or they have other names or classes, "
        "so that some that were trained on might be held out. Restore them or start a new run");
  seen_ = seen_before(file);
  const Tensor& sum = file.tensor(accuracy_sum_key);
  check(sum.numel() == 1 && sum.dtype() == DType::f32, "resume", file.path, ": ", accuracy_sum_key,
        " is not a number");
  accuracy_sum_ = Var(sum.reshape({}).to(Context::current().device));
}

std::string RecogniserTraining::chart(const std::vector<Json>& rows) const {
  std::vector<Panel> panels = {{"Loss", {series(rows, "loss", "loss")}, {{"0", 0.0}}}};
  Panel accuracy{"Share of right answers", {}, {{"1", 1.0}}};
  if (knows_classes(flags_)) {
    accuracy.series.push_back(series(rows, "training images", "training_accuracy"));
  }
  if (held_out_.classifies()) {
    accuracy.series.push_back(series(rows, "held-out images", "held_out_accuracy"));
    accuracy.series.push_back(series(rows, "mean of classes", "balanced_accuracy"));
    accuracy.references.push_back({"always the commonest", held_out_.chance()});
  }
  if (held_out_.verifies()) {
    accuracy.series.push_back(series(rows, "held-out pairs", "verification_accuracy"));
    accuracy.references.push_back({"pairs by chance", 0.5});
  }
  if (!accuracy.series.empty()) panels.push_back(accuracy);
  if (held_out_.verifies()) {
    panels.push_back(
        {"Verification of held-out people",
         {series(rows, "AUC", "auc"), series(rows, "cosine of two people", "mean_cosine")},
         {{"1/2: area by chance", 0.5}, {"1", 1.0}}});
  }
  return svg_chart("step", panels);
}

}  // namespace imago::apps
