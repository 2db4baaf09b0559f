#include "apps/support/recognition_data.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "kernels/image/image.h"
#include "tensor/error.h"
#include "tensor/random_stream.h"

namespace imago::apps {
namespace {

// Pairs of all images grow with the square of their number: 3000 have 4.5 million.
constexpr std::int64_t usual_images_of_pairs = 3000, most_images_of_pairs = 10'000;
constexpr std::uint32_t count_stream = 0xc0u, fit_stream = 0xf1u;

// Those flags that were given, over what a recogniser remembers of its data.
CatalogueFlags over(CatalogueFlags saved, const Flags& flags, const CatalogueFlags& given) {
  const auto take = [&](const char* flag, auto& to, const auto& from) {
    if (flags.given(flag)) to = from;
  };
  saved.data = given.data;
  saved.labels = given.labels;  // a checkpoint does not remember where a file is
  take("--layout", saved.layout, given.layout);
  take("--attribute", saved.attribute, given.attribute);
  take("--crop", saved.crop, given.crop);
  take("--label", saved.label, given.label);
  take("--nuisances", saved.nuisances, given.nuisances);
  take("--identities", saved.identities, given.identities);
  take("--images-per-identity", saved.images_per_identity, given.images_per_identity);
  take("--data-seed", saved.data_seed, given.data_seed);
  take("--positive", saved.positive, given.positive);
  take("--split", saved.split, given.split);
  take("--held-out", saved.held_out, given.held_out);
  take("--train-per-class", saved.train_per_class, given.train_per_class);
  take("--split-seed", saved.split_seed, given.split_seed);
  take("--skip-broken", saved.skip_broken, given.skip_broken);
  return saved;
}

const std::string* entry(const SafetensorsFile& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? nullptr : &found->second;
}

// Opens the data as those of the recogniser, where they can be.
bool open_as_remembered(const Flags& flags, const RecognitionFlags& f, const SafetensorsFile& file,
                        int size, MeasuredFaces& faces) {
  const std::string* catalogue = entry(file, "catalogue");
  const std::string* print = entry(file, "catalogue_fingerprint");
  if (!catalogue || !print) return false;
  CatalogueFlags saved;
  try {
    saved = catalogue_flags(Json::parse(*catalogue));
  } catch (const std::exception& error) {
    fail("evaluate", file.path, ": what it says of its data cannot be read: ", error.what());
  }
  const bool procedural = f.faces.data == "procedural";
  if (procedural != (saved.data == "procedural")) return false;
  faces.flags = over(saved, flags, f.faces);
  check_catalogue_flags(flags, faces.flags);
  try {
    faces.catalogue = open_catalogue(faces.flags, size);
  } catch (const Error&) {
    return false;  // not laid out as those were: then as the flags say, with their own errors
  } catch (const UsageError&) {
    return false;  // what was asked of those is not there
  }
  // Rendered people are numbered from 0 whoever they are.
  const bool same_people =
      !procedural || (saved.data_seed == faces.flags.data_seed && saved.label == faces.flags.label);
  faces.same_data = same_people && fingerprint(faces.catalogue) == *print;
  if (!faces.same_data) return procedural;
  faces.split_alike = saved.split == faces.flags.split && saved.held_out == faces.flags.held_out &&
                      saved.train_per_class == faces.flags.train_per_class &&
                      saved.split_seed == faces.flags.split_seed;
  return true;
}

// Whether a method is fitted to a part of --data.
bool fits_to_data(const RecognitionFlags& f) {
  const std::vector<std::string> methods = method_list(f.methods);
  return f.fit.empty() && std::any_of(methods.begin(), methods.end(), needs_fit);
}

std::string default_part(const RecognitionFlags& f, const MeasuredFaces& faces,
                         const TrainedRecogniser* recogniser, const std::string& task) {
  if (recogniser) return faces.same_data ? "held-out" : "all";
  return fits_to_data(f) && task == "verification" ? "held-out" : "all";
}

bool is_folder_part(const std::string& part) {
  return part == "validation" || part == "test";
}

// Whether what is measured, or fitted to, hangs on how the data are split.
bool needs_split(const RecognitionFlags& f, const std::string& part, const std::string& task) {
  if (part == "held-out" || part == "train") return true;
  return part == "all" && task == "verification" && fits_to_data(f);
}

void refuse_split_flags(const Flags& flags, const std::string& part) {
  for (const char* flag : {"--split", "--held-out", "--train-per-class", "--split-seed"}) {
    if (!flags.given(flag)) continue;
    throw UsageError(std::string(flag) + " has no effect on part " + part +
                     ", which is measured here; --part held-out measures what it holds out");
  }
}

std::vector<std::int64_t> images_of_part(const MeasuredFaces& faces) {
  const data::Catalogue& all = faces.catalogue;
  if (faces.part == "held-out") return data::split(all, split_options(faces.flags)).held_out;
  if (faces.part == "train") return data::split(all, split_options(faces.flags)).train;
  std::vector<std::int64_t> images(static_cast<std::size_t>(all.size()));
  std::iota(images.begin(), images.end(), std::int64_t{0});
  if (faces.part == "all") return images;
  if (all.parts.empty()) {
    throw UsageError("--part " + faces.part + ": " + all.images->describe() +
                     " has no such parts; held-out, train and all are possible");
  }
  const data::Part part = faces.part == "validation" ? data::Part::validation : data::Part::test;
  std::erase_if(images,
                [&](std::int64_t i) { return all.parts[static_cast<std::size_t>(i)] != part; });
  if (images.empty()) throw UsageError("--part " + faces.part + " has no images");
  return images;
}

// At most `most` of the images: whole people, or images where classes are asked for.
std::vector<std::int64_t> at_most(const MeasuredFaces& faces, std::int64_t most, bool whole_people,
                                  std::uint64_t seed) {
  RandomStream stream(seed, count_stream);
  std::vector<std::int64_t> kept = faces.images;
  if (!whole_people) {
    shuffle(kept, stream);
    kept.resize(static_cast<std::size_t>(most));
    std::sort(kept.begin(), kept.end());
    return kept;
  }
  std::vector<std::int64_t> people;
  std::vector<std::int64_t> images(faces.catalogue.labels.classes.size(), 0);
  for (const std::int64_t i : faces.images) {
    if (images[static_cast<std::size_t>(faces.person(i))]++ == 0) people.push_back(faces.person(i));
  }
  std::sort(people.begin(), people.end());
  shuffle(people, stream);
  std::set<std::int64_t> chosen;
  std::int64_t total = 0;
  for (const std::int64_t person : people) {
    const std::int64_t more = images[static_cast<std::size_t>(person)];
    if (total + more > most) continue;  // a smaller one may still find room
    total += more;
    chosen.insert(person);
  }
  std::erase_if(kept, [&](std::int64_t i) { return !chosen.contains(faces.person(i)); });
  return kept;
}

void settle_count(const RecognitionFlags& f, const std::string& task, MeasuredFaces& faces) {
  const auto have = static_cast<std::int64_t>(faces.images.size());
  std::int64_t most = f.count == 0 ? have : f.count;
  const bool pairs = task == "verification";
  if (pairs && f.count == 0) most = std::min(most, usual_images_of_pairs);
  if (pairs && std::min(most, have) > most_images_of_pairs) {
    throw UsageError("--count " + std::to_string(f.count) + ": all pairs are made of " +
                     std::to_string(most_images_of_pairs) + " images at most; " +
                     "--task identification takes more");
  }
  if (most < have) {
    faces.images = at_most(faces, most, task != "classification", f.seed);
    faces.notes.push_back(std::to_string(faces.images.size()) + " of " + std::to_string(have) +
                          " images are measured, drawn by --seed" +
                          (f.count == 0 ? "; --count takes more" : ""));
  }
  std::set<std::int64_t> people;
  for (const std::int64_t i : faces.images) people.insert(faces.person(i));
  if (task != "classification" && people.size() < 2) {
    throw UsageError(
        "it takes images of at least 2 people to tell them apart, and here are those of " +
        std::to_string(people.size()) + ": " +
        (f.count > 0 && most < have ? "--count takes more images"
         : faces.part == "held-out" ? "--held-out holds more people out, --part all takes everybody"
                                    : "part " + faces.part + " has no more"));
  }
}

// The training part: beside a part of a folder the folder's own, else that of the split.
std::vector<std::int64_t> training_images(const MeasuredFaces& faces) {
  if (!is_folder_part(faces.part)) {
    return data::split(faces.catalogue, split_options(faces.flags)).train;
  }
  std::vector<std::int64_t> images;
  for (std::size_t i = 0; i < faces.catalogue.parts.size(); ++i) {
    if (faces.catalogue.parts[i] == data::Part::train) {
      images.push_back(static_cast<std::int64_t>(i));
    }
  }
  return images;
}

// Only what a fit draws of all that it may.
Tensor some_images(const data::Catalogue& catalogue, std::vector<std::int64_t> indices,
                   std::uint64_t seed) {
  if (static_cast<std::int64_t>(indices.size()) > most_fitted) {
    RandomStream stream(seed, fit_stream);
    shuffle(indices, stream);
    indices.resize(static_cast<std::size_t>(most_fitted));
    std::sort(indices.begin(), indices.end());
  }
  const data::Catalogue some = data::take(catalogue, std::move(indices));
  return kernels::normalize_u8(data::load_images(*some.images, 0, some.size()));
}

std::string drawn_from(std::size_t images) {
  const auto n = static_cast<std::int64_t>(images);
  return n <= most_fitted ? std::to_string(n) + " images"
                          : std::to_string(most_fitted) + " of " + std::to_string(n) + " images";
}

}  // namespace

bool TrainedRecogniser::of_people() const {
  return options.head != models::RecognitionHead::binary &&
         options.head != models::RecognitionHead::expression;
}

TrainedRecogniser open_recogniser(const std::string& checkpoint) {
  TrainedRecogniser r{load_safetensors(checkpoint), {}};
  r.options = models::recogniser_options(r.file);
  return r;
}

MeasuredFaces open_measured_faces(const Flags& flags, const RecognitionFlags& f,
                                  const TrainedRecogniser* recogniser, const std::string& task,
                                  int size) {
  MeasuredFaces faces;
  if (!recogniser || !open_as_remembered(flags, f, recogniser->file, size, faces)) {
    faces = {};
    faces.flags = f.faces;
    check_catalogue_flags(flags, faces.flags);
    faces.catalogue = open_catalogue(faces.flags, size);
  }
  if (flags.given("--positive") && task != "classification") {
    throw UsageError("--positive makes two classes of everybody, and --task " + task +
                     " tells people apart: leave one of them out");
  }
  if (recogniser && !recogniser->of_people() && faces.same_data && task != "classification" &&
      !flags.given("--label") && !flags.given("--layout")) {
    throw UsageError("this recogniser tells " + std::to_string(recogniser->options.classes.size()) +
                     " classes apart, not people, and so do its data: --task " + task +
                     " takes data of people");
  }
  if (!f.pairs.empty()) {
    faces.part = "pairs";
    faces.pairs = data::read_pairs(f.pairs, faces.catalogue);
    std::set<std::int64_t> used;
    for (const data::Pair& pair : faces.pairs.pairs) used.insert({pair.a, pair.b});
    faces.images.assign(used.begin(), used.end());
    return faces;
  }
  faces.part = f.part.empty() ? default_part(f, faces, recogniser, task) : f.part;
  if (!needs_split(f, faces.part, task)) refuse_split_flags(flags, faces.part);
  faces.images = images_of_part(faces);
  settle_count(f, task, faces);
  return faces;
}

Tensor images_to_fit(const RecognitionFlags& f, const MeasuredFaces& faces, int size,
                     const std::vector<std::int64_t>* gallery, std::vector<std::string>& notes) {
  if (!f.fit.empty()) {
    data::Catalogue all;
    const auto folder = std::make_shared<data::FolderDataset>(
        f.fit, data::FolderOptions{.size = size,
                                   .crop = crop_of("--fit-crop", f.fit_crop),
                                   .skip_broken = f.faces.skip_broken});
    all.images = folder;
    all.labels = {{"all"}, std::vector<std::int64_t>(static_cast<std::size_t>(folder->size()), 0)};
    for (const std::filesystem::path& path : folder->paths()) all.names.push_back(path.string());
    std::vector<std::int64_t> indices(static_cast<std::size_t>(folder->size()));
    std::iota(indices.begin(), indices.end(), std::int64_t{0});
    notes.push_back("methods are fitted to " + drawn_from(indices.size()) + " of " + f.fit);
    return some_images(all, std::move(indices), f.seed);
  }
  if (gallery && faces.part == "all") {
    notes.push_back("methods are fitted to the gallery, " + drawn_from(gallery->size()));
    return some_images(faces.catalogue, *gallery, f.seed);
  }
  if (faces.part == "pairs") {
    std::set<std::string> used;
    for (std::string& person : data::people_of_pairs(f.pairs)) used.insert(std::move(person));
    std::vector<std::int64_t> others;
    for (std::int64_t i = 0; i < faces.catalogue.size(); ++i) {
      const auto person = static_cast<std::size_t>(faces.person(i));
      if (!used.contains(faces.catalogue.labels.classes[person])) others.push_back(i);
    }
    if (others.size() < 2) {
      throw UsageError("everybody is in " + f.pairs +
                       ": name other images to fit methods to with --fit FOLDER");
    }
    notes.push_back("methods are fitted to " + drawn_from(others.size()) +
                    " of people who are in no pair");
    return some_images(faces.catalogue, std::move(others), f.seed);
  }
  std::vector<std::int64_t> train = training_images(faces);
  if (faces.part == "all" || faces.part == "train") {
    notes.push_back(
        "these methods were fitted to images that they are measured on; --fit FOLDER names others");
  } else {
    std::erase_if(train, [&](std::int64_t i) {
      return std::binary_search(faces.images.begin(), faces.images.end(), i);
    });
  }
  if (train.size() < 2) {
    throw UsageError("the training part has " + std::to_string(train.size()) +
                     " images to fit methods to: name others with --fit FOLDER");
  }
  notes.push_back("methods are fitted to the training part, " + drawn_from(train.size()));
  return some_images(faces.catalogue, std::move(train), f.seed);
}

}  // namespace imago::apps
