#include "apps/support/seen_faces.h"

#include <algorithm>
#include <cstdint>

#include "data/split.h"

namespace imago::apps {
namespace {

constexpr int any_size = 16;  // of images that are not looked at

bool is_procedural(const CatalogueFlags& f) {
  return f.data == "procedural";
}

// Whom an image shows, as SeenFaces has it.
std::string person_of(const data::Catalogue& catalogue, bool procedural, std::int64_t image) {
  const auto at = static_cast<std::size_t>(image);
  if (procedural) return catalogue.names[at].substr(0, catalogue.names[at].find('/'));
  return catalogue.labels.classes[static_cast<std::size_t>(catalogue.labels.images[at])];
}

// Any part that training left out serves for an official split: the others are no less in `train`.
std::vector<std::int64_t> training_part(const data::Catalogue& catalogue,
                                        const CatalogueFlags& flags) {
  const bool tested = std::find(catalogue.parts.begin(), catalogue.parts.end(), data::Part::test) !=
                      catalogue.parts.end();
  const data::Part held_out = tested ? data::Part::test : data::Part::validation;
  return data::split(catalogue, split_options(flags, held_out)).train;
}

SeenFaces seen_in(const data::Catalogue& catalogue, const CatalogueFlags& flags) {
  SeenFaces seen;
  for (const std::int64_t i : training_part(catalogue, flags)) {
    seen.images.insert(catalogue.names[static_cast<std::size_t>(i)]);
    seen.people.insert(person_of(catalogue, is_procedural(flags), i));
  }
  return seen;
}

// How many of the measured people, or images where classes are asked for, were seen.
struct Overlap {
  std::size_t seen = 0, all = 0;
};

Overlap of_people(const MeasuredFaces& faces, const std::set<std::string>& seen) {
  std::set<std::string> people;
  const bool procedural = is_procedural(faces.flags);
  for (const std::int64_t i : faces.images) {
    people.insert(person_of(faces.catalogue, procedural, i));
  }
  const auto known = std::count_if(people.begin(), people.end(),
                                   [&](const std::string& name) { return seen.contains(name); });
  return {static_cast<std::size_t>(known), people.size()};
}

// Of a class an image of somebody seen is no stranger's: a beard is known by the face.
Overlap of_images(const MeasuredFaces& faces, const SeenFaces& seen) {
  const bool by_person = !faces.catalogue.people.empty();
  const auto known = std::count_if(faces.images.begin(), faces.images.end(), [&](std::int64_t i) {
    return by_person
               ? seen.people.contains(person_of(faces.catalogue, is_procedural(faces.flags), i))
               : seen.images.contains(faces.catalogue.names[static_cast<std::size_t>(i)]);
  });
  return {static_cast<std::size_t>(known), faces.images.size()};
}

std::string told(const Overlap& overlap, const std::string& what, const std::string& by) {
  return (overlap.seen == overlap.all ? "these " + what
                                      : std::to_string(overlap.seen) + " of these " +
                                            std::to_string(overlap.all) + " " + what) +
         " were trained on" + by + ": this says how well it remembers, not how well it recognises";
}

}  // namespace

SeenFaces seen_faces(const SeenData& seen, const CatalogueFlags& now,
                     const data::Catalogue& catalogue) {
  if (is_procedural(seen.catalogue) != is_procedural(now)) return {};
  if (!is_procedural(now)) {
    if (seen.fingerprint != fingerprint(catalogue)) return {};
    return seen_in(catalogue, seen.catalogue);
  }
  if (seen.catalogue.data_seed != now.data_seed) return {};
  return seen_in(open_catalogue(seen.catalogue, any_size), seen.catalogue);
}

std::string kinship_of(const MeasuredFaces& faces, const TrainedRecogniser& recogniser) {
  if (faces.same_data) {
    return std::string("The recogniser was trained on these data, split in ") +
           (faces.split_alike ? "the same way." : "another way.");
  }
  const std::vector<SeenData> seen = seen_by(recogniser.file);
  if (seen.empty()) return "The recogniser's file does not say what it was trained on.";
  const bool both_rendered = is_procedural(faces.flags) && is_procedural(seen.front().catalogue);
  const bool same_seed = both_rendered && seen.front().catalogue.data_seed == faces.flags.data_seed;
  const bool two_folders = !is_procedural(faces.flags) && !is_procedural(seen.front().catalogue);
  if (same_seed) {
    return "These are not exactly the faces that the recogniser was trained on, but of the same "
           "--data-seed; another one renders people whom it has not seen.";
  }
  // Files that were added to a folder, or taken away, give it another fingerprint.
  if (two_folders && !recogniser.of_people()) {
    return "These are not exactly the data that the recogniser was trained on; whether some of "
           "the images are among those cannot be told.";
  }
  return "These are not the data that the recogniser was trained on.";
}

std::string warning_of(const MeasuredFaces& faces, const TrainedRecogniser& recogniser,
                       const std::string& task) {
  const bool classes = task == "classification";
  const std::string what = classes ? "images" : "people";
  const std::vector<SeenData> all = seen_by(recogniser.file);
  for (std::size_t k = 0; k < all.size(); ++k) {
    SeenFaces seen = seen_faces(all[k], faces.flags, faces.catalogue);
    const bool folders = !is_procedural(all[k].catalogue) && !is_procedural(faces.flags);
    // Of a folder the file names those trained on, also where other images are beside them.
    if (k == 0 && folders && recogniser.of_people()) {
      seen.people = {recogniser.options.classes.begin(), recogniser.options.classes.end()};
    }
    const Overlap overlap = classes ? of_images(faces, seen) : of_people(faces, seen.people);
    if (overlap.seen > 0) {
      return told(overlap, what, k == 0 ? "" : " by the weights that training started from");
    }
  }
  return "";
}

}  // namespace imago::apps
