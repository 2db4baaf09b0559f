// Scores a generator, or a folder of generated images: how far the images are from real ones, how
// good and how varied they are, what they lack, and whether they are copies; of a conditional
// generator also whether it draws what it is asked for. Or measures how well faces are recognised.
#include <algorithm>
#include <cstdio>
#include <optional>

#include "apps/support/device.h"
#include "apps/support/flags.h"
#include "apps/support/label_report.h"
#include "apps/support/recognition_report.h"
#include "apps/support/sampling.h"
#include "apps/support/score_report.h"
#include "apps/support/translation_report.h"
#include "data/faces.h"
#include "data/folder.h"
#include "data/labelled_faces.h"
#include "models/metrics.h"

namespace imago::apps {
namespace {

constexpr int projections = 512;
constexpr std::int64_t sheet_rows = 8;
constexpr int sheet_columns = 5;

struct Options {
  // Of train_translation, "": none; apps/support/translation_report.h scores them.
  std::string translator, against;
  std::string generator, images, data = "procedural";
  std::string features;     // a file of weights, "none", or "": the committed weights
  std::string json, sheet;  // files to write; "": none
  // Of recognition; faces.labels, a text file with the classes of --data, is of generators too.
  RecognitionFlags recognition;
  int per_class = 250;
  int count = 0;  // 0: as many as there are, up to 1000
  int size = 0;   // of --images; 0: as large as the first of them
  int neighbours = 5;
  std::uint64_t seed = 20'000;
  int threads = 0;
  std::string device = "auto";
};

// What can be told from the flags alone.
void check_flags(const Options& o, const Flags& flags) {
  const int given = !o.generator.empty() + !o.images.empty() + !o.translator.empty();
  if (given != 1) {
    throw UsageError(
        "give either --generator CHECKPOINT or --images FOLDER, or --translator CHECKPOINT; or, to "
        "measure recognition, --recogniser CHECKPOINT or --method LIST");
  }
  refuse_recognition_flags(flags);
  if (!o.against.empty() && o.translator.empty()) {
    throw UsageError("--against is for --translator");
  }
  if (!o.translator.empty() && (o.data != "procedural" || o.features == "none")) {
    throw UsageError(
        "--translator is scored on features of procedural people whom it has not met: "
        "leave --data and --features none out");
  }
  for (const char* flag : {"--neighbours", "--per-class", "--labels"}) {
    if (o.translator.empty() || !flags.given(flag)) continue;
    throw UsageError(std::string(flag) + " is for --generator" +
                     (flag == std::string("--neighbours") ? " and --images" : "") +
                     ", not for --translator");
  }
  if (o.size > 0 && o.images.empty()) throw UsageError("--size is for --images");
  if (o.features == "none" && !o.sheet.empty()) {
    throw UsageError("--sheet needs features to find neighbours with; leave --features none out");
  }
  for (const char* flag : {"--neighbours", "--per-class"}) {
    if (o.features != "none" || !flags.given(flag)) continue;
    throw UsageError(std::string(flag) + " is of scores on features; leave --features none out");
  }
  if (flags.given("--per-class") && o.generator.empty()) {
    throw UsageError("--per-class is for a conditional --generator, not for --images");
  }
  if (o.recognition.faces.labels.empty()) return;
  if (o.data == "procedural") {
    throw UsageError("--labels is for the images of a folder; procedural faces bring theirs");
  }
  if (o.features == "none") {
    throw UsageError("--labels needs features that see them; leave --features none out");
  }
  if (o.generator.empty()) {
    throw UsageError("--labels is for a conditional --generator, not for --images");
  }
}

// What takes a conditional generator.
void check_flags(const Options& o, const Flags& flags, const Sampler& generator) {
  if (generator.conditional()) return;
  for (const char* flag : {"--labels", "--per-class"}) {
    if (!flags.given(flag)) continue;
    throw UsageError(std::string(flag) + ": " + o.generator + " holds " + generator.name +
                     ", which knows no classes");
  }
}

// --data with the classes that a conditional generator was trained on; nothing where they have no
// such label.
std::optional<data::Faces> labelled_data(const Options& o, const Sampler& generator) {
  const std::vector<std::string>& procedural = data::procedural_label_names();
  const std::string& label = generator.classes.label;
  const bool known = std::find(procedural.begin(), procedural.end(), label) != procedural.end();
  if (o.data == "procedural" ? !known : o.recognition.faces.labels.empty()) return {};
  return data::labelled_faces(o.data, o.data == "procedural" ? label : o.recognition.faces.labels,
                              {.size = generator.image, .batch = 1});
}

// The folder of generated images, and how large they are to be.
data::Faces open_images(const Options& o, int batch) {
  int size = o.size;
  if (size == 0 && o.images == "procedural") size = 64;
  if (size == 0) {
    const data::Image first = data::load_image(data::list_images(o.images).front());
    size = std::min(first.width, first.height);
  }
  return data::Faces(o.images, {.size = size, .batch = batch, .seed = o.seed, .flip = false});
}

// Settles how many images of each kind there will be. `fake`: what --images holds.
void settle_count(Options& o, std::int64_t real, std::optional<std::int64_t> fake) {
  const std::int64_t have = std::min(real, fake.value_or(real));
  if (o.count == 0) o.count = static_cast<int>(std::min<std::int64_t>(have, 1000));
  if (have < o.count) {
    throw UsageError("--count is " + std::to_string(o.count) + " but " +
                     (have == real ? o.data : o.images) + " holds only " + std::to_string(have) +
                     " images");
  }
  const int least = std::max(8, o.neighbours + 1);
  if (o.features != "none" && o.count < least) {
    throw UsageError("scores on features need at least " + std::to_string(least) +
                     " images of each kind, not " + std::to_string(o.count) +
                     "; --features none leaves them out");
  }
}

// The first n at most: all pairs of 10,000 images would take minutes.
Tensor some(const Tensor& images, std::int64_t n = 1000) {
  return images.slice(0, std::min(n, images.size(0)));
}

// The scores that need no features.
Json pixel_scores(const Tensor& fake, const Tensor& real, std::uint64_t seed,
                  std::optional<double> start) {
  const double distance = models::sliced_wasserstein(fake, real, projections, seed);
  const double variety = models::mean_pairwise_distance(some(fake));
  const double real_variety = models::mean_pairwise_distance(some(real));
  std::printf("sliced Wasserstein distance to real   %.4f", distance);
  if (start) std::printf("   untrained generator %.4f   ratio %.3f", *start, distance / *start);
  std::printf("\nmean pairwise distance of samples     %.4f   real images %.4f   ratio %.3f\n",
              variety, real_variety, variety / real_variety);
  Json json = {{"sliced_wasserstein", distance},
               {"mean_pairwise_distance", variety},
               {"mean_pairwise_distance_of_real", real_variety}};
  if (start) json["sliced_wasserstein_untrained"] = *start;
  return json;
}

int evaluate_recognition(Options o, const Flags& flags) {
  RecognitionFlags& f = o.recognition;
  f.faces.data = o.data;
  f.json = o.json;
  f.count = o.count;
  f.seed = o.seed;
  check_recognition_flags(flags, f);
  set_num_threads(o.threads);
  use_device(o.device);
  report_recognition(flags, f);
  return 0;
}

int evaluate(Options o, const Flags& flags) {
  if (asks_for_recognition(o.recognition)) return evaluate_recognition(std::move(o), flags);
  check_flags(o, flags);
  set_num_threads(o.threads);
  const Device device = use_device(o.device);
  if (!o.translator.empty()) {
    TranslationReportOptions t{.checkpoints = {o.translator},
                               .features = o.features,
                               .json = o.json,
                               .sheet = o.sheet,
                               .people = o.count,
                               .seed = o.seed};
    if (!o.against.empty()) t.checkpoints.push_back(o.against);
    report_translations(t);
    return 0;
  }
  std::optional<models::FaceFeatures> network;
  Json report = {{"format", "imago-scores-1"}, {"data", o.data}};
  std::optional<Sampler> trained, untrained;
  std::optional<data::Faces> labelled;
  int size = 0;
  std::optional<std::int64_t> have;
  if (o.images.empty()) {
    const SafetensorsFile file = load_safetensors(o.generator);
    trained = trained_sampler(file);
    check_flags(o, flags, *trained);
    manual_seed(o.seed);
    untrained = untrained_sampler(file);
    size = trained->image;
    if (trained->conditional()) labelled = labelled_data(o, *trained);
    report["model"] = trained->name;
    report["step"] = file.metadata_entry("step");
  } else {
    const data::Faces folder = open_images(o, 1);
    have = folder.size();
    size = folder.dataset().image_size();
    report["images"] = o.images;
  }
  if (o.features != "none") network.emplace(models::face_features(o.features));
  settle_count(o, data::Faces(o.data, {.size = size, .batch = 1}).size(), have);
  // Nothing is mirrored on either side: what is scored is what the folders hold.
  const data::Faces data(o.data, {.size = size, .batch = o.count, .seed = o.seed, .flip = false});
  const Tensor real = data.first_batch(Device::cpu());
  const Tensor fake = trained ? trained->sample(o.count, o.seed)
                              : open_images(o, o.count).first_batch(Device::cpu());

  if (trained) {
    std::printf("%d images of %s after %s steps, made on %s, against %s\n", o.count,
                trained->name.c_str(), report["step"].get<std::string>().c_str(),
                describe(device).c_str(), o.data.c_str());
  } else {
    std::printf("%d images of %s against %s\n", o.count, o.images.c_str(), o.data.c_str());
  }
  std::optional<double> start, start_frechet;
  Tensor real_features, first;
  if (network) real_features = network->features_of(real);
  if (untrained) {
    first = untrained->sample(o.count, o.seed);
    start = models::sliced_wasserstein(first, real, projections, o.seed);
    if (network) {
      start_frechet = models::frechet_distance(network->features_of(first), real_features);
    }
  }
  report["count"] = o.count;
  report["pixels"] = pixel_scores(fake, real, o.seed, start);
  report["pixels"].update(print_checkerboards(fake, real, first));
  if (network) {
    const Tensor features = network->features_of(fake);
    models::Scores scores = models::score(features, real_features, {.neighbours = o.neighbours});
    scores.features = network->label();
    const std::optional<Modes> modes = find_modes(*network, features, real_features);
    print_scores(scores, start_frechet, modes);
    report["scores"] = to_json(scores);
    if (start_frechet) report["scores"]["frechet_distance_untrained"] = *start_frechet;
    if (modes) report["modes"] = to_json(*modes);
  }
  if (trained && trained->conditional() && network) {
    const LabelCheck labels =
        check_labels(*network, *trained, o.per_class, o.seed, labelled ? &*labelled : nullptr);
    print_labels(labels);
    report["labels"] = to_json(labels);
  } else if (trained && trained->conditional()) {
    std::printf("note: labels are not confirmed: it takes features to see them\n");
  }
  if (!o.sheet.empty()) {
    data::save_png(o.sheet,
                   neighbour_sheet(*network, fake, data.dataset(), sheet_rows, sheet_columns));
    std::printf("Wrote %s: each sample, then the nearest of all images of %s\n", o.sheet.c_str(),
                o.data.c_str());
  }
  if (!o.json.empty()) {
    write_text(o.json, report.dump(2) + "\n");
    std::printf("Wrote %s\n", o.json.c_str());
  }
  return 0;
}

}  // namespace
}  // namespace imago::apps

int main(int argc, char** argv) {
  using namespace imago::apps;
  Flags flags(
      "evaluate",
      "Scores a trained generator or a folder of generated images, or measures recognition");
  Options o;
  flags.text("--generator", o.generator, "Checkpoint written by train_gan or train_vae");
  flags.text("--images", o.images, "Folder of generated images, in place of a generator");
  flags.text("--translator", o.translator,
             "Checkpoint written by train_translation, scored on people it has not met");
  flags.text("--against", o.against, "Another one, to compare with --translator");
  flags.number("--size", o.size, 8, 1024,
               "Pixels to which --images and --data are brought (default: of the first image)");
  flags.text("--data", o.data, "Folder of real images, or procedural");
  flags.number("--count", o.count, 2, 100000,
               "Images of each kind (default: what there are, up to 1000); of recognition, images "
               "measured at most, of whole people");
  flags.text("--features", o.features,
             "Weights written by train_features (default: those that come with Imago), or none "
             "for the scores on pixels alone");
  flags.number("--neighbours", o.neighbours, 1, 1000,
               "k of precision, recall, density and coverage");
  flags.number("--per-class", o.per_class, 1, 100000,
               "Images of each class by which it is told whether a conditional generator draws "
               "what it is asked for");
  add_recognition_flags(flags, o.recognition);
  flags.text("--json", o.json, "File to write all scores to");
  flags.text("--sheet", o.sheet,
             "PNG file to write: samples, each beside the nearest images of --data");
  flags.seed("--seed", o.seed,
             "Of noise, choice of images and directions, galleries and resamples");
  add_device_flag(flags, o.device);
  flags.number("--threads", o.threads, 0, 1024, "CPU threads; 0 means all cores");
  return flags.run(argc, argv, [&] { return evaluate(o, flags); });
}
