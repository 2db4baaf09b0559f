#include "apps/support/cnn_data.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>
#include <vector>

#include "apps/support/classes.h"
#include "data/augment.h"
#include "data/split.h"
#include "tensor/error.h"

namespace imago::apps {
namespace {

// Of an official split: what is measured while training should not be what the end is judged by.
data::Part part_to_measure(const data::Catalogue& all) {
  const bool has_validation =
      std::find(all.parts.begin(), all.parts.end(), data::Part::validation) != all.parts.end();
  return has_validation ? data::Part::validation : data::Part::test;
}

// Takes the images of the people of a list out of `indices`; returns how many people that were.
std::size_t exclude(const std::string& file, const data::Catalogue& all,
                    std::vector<std::int64_t>& indices) {
  const std::vector<std::string> listed = data::people_of_pairs(file);
  const std::set<std::string> people(listed.begin(), listed.end());
  const std::vector<std::string>& classes = all.labels.classes;
  const auto known = std::count_if(classes.begin(), classes.end(),
                                   [&](const std::string& name) { return people.contains(name); });
  check(known > 0, "train_cnn", "none of the ", people.size(), " people of ", file,
        " is among those of the images (", list_of(classes), "); is it a list of these?");
  std::set<std::int64_t> excluded;
  std::erase_if(indices, [&](std::int64_t i) {
    const std::int64_t k = all.labels.images[static_cast<std::size_t>(i)];
    const bool out = people.contains(classes[static_cast<std::size_t>(k)]);
    if (out) excluded.insert(k);
    return out;
  });
  check(!indices.empty(), "train_cnn", "every image to train on shows somebody of ", file,
        "; nothing is left");
  return excluded.size();
}

// "450 people (9000 images)", or "2 classes (9000 images of 450 people)" where it is known of whom.
std::string sizes(const data::Labels& labels, const std::vector<std::int64_t>& shown, bool people) {
  const std::vector<std::int64_t> counts = labels.counts();
  const auto some = std::count_if(counts.begin(), counts.end(), [](auto n) { return n > 0; });
  const auto counted = [](std::int64_t n, const char* one, const char* many) {
    return std::to_string(n) + (n == 1 ? one : many);
  };
  return (people ? counted(some, " person", " people") : counted(some, " class", " classes")) +
         " (" + counted(static_cast<std::int64_t>(labels.images.size()), " image", " images") +
         (shown.empty()
              ? ""
              : " of " + counted(static_cast<std::int64_t>(
                                     std::set<std::int64_t>(shown.begin(), shown.end()).size()),
                                 " person", " people")) +
         ")";
}

void warn_of_single_images(const data::Labels& labels, bool people) {
  const std::vector<std::int64_t> counts = labels.counts();
  std::vector<std::string> single;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] == 1) single.push_back(labels.classes[k]);
  }
  if (single.empty()) return;
  std::fprintf(stderr,
               "train_cnn: %zu of %zu %s have one image alone to train on, which cannot teach what "
               "stays the same from image to image: %s\n",
               single.size(), counts.size(), people ? "people" : "classes",
               list_of(single).c_str());
}

std::shared_ptr<const data::Dataset> augmented(std::shared_ptr<const data::Dataset> images,
                                               const std::string& preset) {
  const data::AugmentOptions options = data::augment_preset(preset);
  if (!options.any()) return images;
  return std::make_shared<data::AugmentedDataset>(std::move(images), options);
}

}  // namespace

RecognitionData open_recognition_data(const Flags& flags, CnnFlags& f) {
  const data::Catalogue all = open_catalogue(f.faces, f.cnn.image);
  settle(flags, all, f);
  const bool people = of_people(models::recognition_head(f.head));
  RecognitionData data;
  data.part = part_to_measure(all);
  data.fingerprint = fingerprint(all);
  data::Split split = data::split(all, split_options(f.faces, data.part));
  std::size_t excluded = 0;
  if (!f.exclude_pairs.empty()) excluded = exclude(f.exclude_pairs, all, split.train);
  if (f.images_per_person > 0) {
    split.train =
        data::at_most_per_class(all.labels, split.train, f.images_per_person, f.faces.split_seed);
  }
  const data::Catalogue train = data::take(all, split.train);
  data.labels = std::make_shared<const data::Labels>(data::without_empty_classes(train.labels));
  data.train = augmented(train.images, f.augment);
  data.held_out = data::take(all, split.held_out);

  std::printf("%s\n", all.images->describe().c_str());
  std::printf("Training on %s", sizes(*data.labels, train.people, people).c_str());
  if (excluded > 0) std::printf(", without %zu people of a list of pairs", excluded);
  std::printf("; held out: %s", sizes(data.held_out.labels, data.held_out.people, people).c_str());
  if (f.faces.split == "official") std::printf(" for %s", data::name(data.part));
  if (!all.people.empty()) std::printf(": nobody is in both");
  std::printf("\n");
  const auto classes = data.labels->classes.size();
  if (classes < 2) {
    throw UsageError("--head " + f.head +
                     " has to tell classes apart, and all images to train on "
                     "are of one: " +
                     list_of(data.labels->classes));
  }
  warn_of_single_images(*data.labels, people);
  return data;
}

data::Faces training_faces(const RecognitionData& data, const CnnFlags& f) {
  return data::Faces(data.train,
                     {.size = f.cnn.image,
                      .batch = f.train.batch,
                      .seed = f.train.seed,
                      .balance = f.balance,
                      .together = f.per_person},
                     data.labels);
}

}  // namespace imago::apps
