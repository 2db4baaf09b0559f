#include "apps/support/translation_report.h"

#include <cstdio>
#include <optional>

#include "apps/support/flags.h"
#include "apps/support/run_folder.h"
#include "apps/support/translation_data.h"
#include "models/degradation.h"
#include "models/translation_evaluation.h"
#include "models/translation_trainer.h"

namespace imago::apps {
namespace {

constexpr int usual_people = 1000, least_people = 8;
constexpr int sheet_rows = 8, sheet_groups = 2;

Json to_json(const models::TranslationScores& s) {
  return {{"psnr", json_number(s.psnr)},
          {"ssim", json_number(s.ssim)},
          {"frechet_distance", json_number(s.frechet)},
          {"identity_similarity", json_number(s.identity)}};
}

void print_row(const std::string& name, const models::TranslationScores& s) {
  std::printf("%8.2f %8.4f %10.4f %10.4f  %s\n", s.psnr, s.ssim, s.frechet, s.identity,
              name.c_str());
}

// The networks, of which all must answer the same question.
struct Translators {
  std::vector<models::Translator> networks;
  std::vector<std::string> steps;  // that they were trained for
};

Translators load_all(const std::vector<std::string>& checkpoints) {
  Translators all;
  for (const std::string& checkpoint : checkpoints) {
    const SafetensorsFile file = load_safetensors(checkpoint);
    all.networks.push_back(models::load_translator(file));
    all.steps.push_back(file.metadata_entry("step"));
    const models::TranslationSpec& first = all.networks.front().spec();
    const models::TranslationSpec& spec = all.networks.back().spec();
    check(spec.task == first.task && spec.image == first.image, "evaluate", checkpoint, " is for ",
          models::name_of(spec.task), " at ", spec.image, " x ", spec.image, ", but ",
          checkpoints.front(), " for ", models::name_of(first.task), " at ", first.image, " x ",
          first.image, "; only answers to the same question compare");
  }
  return all;
}

}  // namespace

void report_translations(const TranslationReportOptions& o) {
  const int people = o.people == 0 ? usual_people : o.people;
  if (people < least_people) {
    throw UsageError("scores on features need at least " + std::to_string(least_people) +
                     " people, not " + std::to_string(people));
  }
  Translators translators = load_all(o.checkpoints);
  models::FaceFeatures network = models::face_features(o.features);
  const models::TranslationSpec spec = translators.networks.front().spec();
  const auto dataset = procedural_people(spec.task, spec.image, scored_people, people);
  const models::TranslationBatch batch = models::degraded(spec.task, all_images(*dataset), o.seed,
                                                          models::evaluation_degradation_step);
  const Tensor input = batch.input.to(Device::cpu()), truth = batch.target.to(Device::cpu());

  std::printf("%d procedural people whom nobody trained on, %s at %dx%d,\non %d features of %s:\n",
              people, models::name_of(spec.task), spec.image, spec.image,
              models::FaceFeatures::dimensions, network.label().c_str());
  std::printf(" PSNR dB     SSIM    Fréchet   identity\n");
  Json report = {{"format", "imago-translation-scores-1"},
                 {"task", models::name_of(spec.task)},
                 {"image", spec.image},
                 {"people", people},
                 {"people_seed", scored_people},
                 {"seed", o.seed},
                 {"features", network.label()}};
  if (const std::optional<Tensor> same = models::untouched(spec.task, input)) {
    const auto scores = models::score_translation(network, spec.task, input, *same, truth);
    print_row("nothing done", scores);
    report["untouched"] = to_json(scores);
  }
  Json rows = Json::array();
  std::vector<Tensor> columns = {input};
  for (std::size_t i = 0; i < o.checkpoints.size(); ++i) {
    const Tensor result = models::translate_all(translators.networks[i], input);
    const auto scores = models::score_translation(network, spec.task, input, result, truth);
    print_row(o.checkpoints[i] + " after " + translators.steps[i] + " steps", scores);
    Json row = {{"checkpoint", o.checkpoints[i]}, {"step", translators.steps[i]}};
    row.update(to_json(scores));
    rows.push_back(row);
    columns.push_back(result);
  }
  report["rows"] = rows;
  columns.push_back(truth);
  if (people <= models::FaceFeatures::dimensions) {
    std::printf("note: a Fréchet distance of no more people than features is mostly noise\n");
  }
  if (!o.sheet.empty()) {
    data::save_png(o.sheet, comparison_sheet(columns, sheet_rows, sheet_groups));
    std::printf("Wrote %s: input, results, truth\n", o.sheet.c_str());
  }
  if (!o.json.empty()) {
    write_text(o.json, report.dump(2) + "\n");
    std::printf("Wrote %s\n", o.json.c_str());
  }
}

}  // namespace imago::apps
