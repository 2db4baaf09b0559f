#include "apps/support/recognition_flags.h"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace imago::apps {
namespace {

const std::vector<std::string> known_methods = {"eigenfaces", "2dpca", "lbp"};

void refuse_given(const Flags& flags, const std::vector<const char*>& names,
                  const std::string& why) {
  for (const char* name : names) {
    if (flags.given(name)) throw UsageError(std::string(name) + " " + why);
  }
}

std::vector<std::string> items_of(const std::string& text) {
  std::vector<std::string> items;
  std::istringstream in(text);
  for (std::string item; std::getline(in, item, ',');) items.push_back(item);
  return items;
}

void check_pairs_flags(const Flags& flags, const RecognitionFlags& f) {
  if (f.pairs.empty()) return;
  if (!f.task.empty() && f.task != "verification") {
    throw UsageError("--pairs is for --task verification, not for " + f.task);
  }
  if (f.faces.data == "procedural") {
    throw UsageError("--pairs names people of a folder: give it with --data FOLDER");
  }
  refuse_given(flags,
               {"--part", "--count", "--split", "--held-out", "--train-per-class", "--split-seed"},
               "has no effect with --pairs, which says what is compared");
}

}  // namespace

void add_recognition_flags(Flags& flags, RecognitionFlags& f) {
  flags.text("--recogniser", f.recogniser,
             "Checkpoint written by train_cnn: measure how well it recognises faces");
  flags.text("--method", f.methods,
             "Methods before deep learning to measure, with or without --recogniser: eigenfaces, "
             "2dpca, lbp, with commas between");
  flags.choice("--task", f.task, {"verification", "identification", "classification"},
               "Are two the same person? Who of a gallery is it? Which class is it? (default: "
               "classification for recognisers of two classes and of expressions, else "
               "verification)");
  add_catalogue_flags(flags, f.faces);
  flags.explain("--labels",
                "Text file of the classes of the images of a folder: for recognition as for "
                "train_cnn; for a conditional generator lines path,class, by which it is told how "
                "often features see the classes in real images");
  add_split_flags(flags, f.faces);
  flags.choice("--part", f.part, {"held-out", "train", "all", "validation", "test"},
               "What of --data is measured (default: of the data of the recogniser and wherever "
               "something is fitted, what is held out; of other data, all)");
  flags.text("--fit", f.fit,
             "Folder of images that eigenfaces and 2dpca are fitted to (default: the training "
             "part; with --part all of identification the gallery; with --pairs the people who are "
             "in none)");
  flags.text("--fit-crop", f.fit_crop, "X,Y,SIDE of --fit, as --crop is of --data");
  flags.text("--pairs", f.pairs, "Verification of exactly the pairs of a pairs.txt as LFW has it");
  flags.number("--gallery-per-person", f.gallery_per_person, 1, 1000,
               "Of identification: images of each person in the gallery; the others are probes");
  flags.number("--splits", f.splits, 1, 1000,
               "Of identification: draw the gallery so often; mean and deviation over the draws");
  flags.number("--strangers", f.strangers, 0, 0.95,
               "Of identification: share of the people who are left out of the gallery");
  flags.on("--skip-broken", f.faces.skip_broken,
           "Of recognition: leave out images that cannot be loaded, and say so");
  flags.on("!--no-mirror", f.mirror, "A recogniser does not look at mirror images too");
  flags.number("--darkness", f.darkness, 0, 10,
               "Make every image darker by so many stops, with the noise of a camera");
  flags.number("--glare", f.glare, 0, 1, "Put a glare of this strength over every image");
  flags.number("--resamples", f.resamples, 0, 100'000,
               "Of people, for the intervals; 0: no intervals");
  flags.text("--plots", f.plots, "Folder for roc.svg, cmc.svg or confusion.svg");
  flags.text("--write-weights", f.weights,
             "Of verification: file to write the recogniser into without its head, with the "
             "threshold that divides the pairs best, as examples/same_person takes it");
}

bool asks_for_recognition(const RecognitionFlags& f) {
  return !f.recogniser.empty() || !f.methods.empty();
}

void refuse_recognition_flags(const Flags& flags) {
  refuse_given(flags,
               {"--task",
                "--layout",
                "--attribute",
                "--crop",
                "--label",
                "--nuisances",
                "--identities",
                "--images-per-identity",
                "--data-seed",
                "--positive",
                "--split",
                "--held-out",
                "--train-per-class",
                "--split-seed",
                "--part",
                "--fit",
                "--fit-crop",
                "--pairs",
                "--gallery-per-person",
                "--splits",
                "--strangers",
                "--skip-broken",
                "--no-mirror",
                "--darkness",
                "--glare",
                "--resamples",
                "--plots",
                "--write-weights"},
               "measures recognition: it takes --recogniser or --method");
}

void check_recognition_flags(const Flags& flags, const RecognitionFlags& f) {
  refuse_given(flags,
               {"--generator", "--images", "--translator", "--against", "--size", "--features",
                "--neighbours", "--per-class", "--sheet"},
               "scores generated images, and has no effect with --recogniser and --method");
  const std::vector<std::string> methods = method_list(f.methods);
  const bool fits = std::any_of(methods.begin(), methods.end(), needs_fit);
  if (f.recogniser.empty()) {
    refuse_given(flags, {"--no-mirror"}, "is for --recogniser; methods see each image once");
    refuse_given(flags, {"--write-weights"}, "is for --recogniser");
  }
  if (f.faces.data == "procedural") {
    refuse_given(flags, {"--skip-broken"}, "is for a folder; no procedural face is broken");
  }
  if (!fits) refuse_given(flags, {"--fit", "--fit-crop"}, "is for eigenfaces and 2dpca");
  if (f.fit.empty()) refuse_given(flags, {"--fit-crop"}, "is for the images of --fit");
  crop_of("--fit-crop", f.fit_crop);
  if (f.task == "classification" && (f.recogniser.empty() || !methods.empty())) {
    throw UsageError(
        "--task classification is for --recogniser alone: methods compare faces, and know no "
        "classes");
  }
  if (f.task != "identification") {
    refuse_given(flags, {"--gallery-per-person", "--splits", "--strangers"},
                 "is for --task identification");
  }
  check_pairs_flags(flags, f);
}

std::vector<std::string> method_list(const std::string& methods) {
  std::vector<std::string> list;
  for (const std::string& method : items_of(methods)) {
    if (std::find(known_methods.begin(), known_methods.end(), method) == known_methods.end()) {
      throw UsageError("--method: there is no '" + method +
                       "'; there are eigenfaces, 2dpca and lbp, with commas between");
    }
    if (std::find(list.begin(), list.end(), method) != list.end()) {
      throw UsageError("--method names " + method + " twice");
    }
    list.push_back(method);
  }
  return list;
}

bool needs_fit(const std::string& method) {
  return method == "eigenfaces" || method == "2dpca";
}

}  // namespace imago::apps
