// Which of the faces that recognition is measured on a recogniser's weights were trained on.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "apps/support/ancestry.h"
#include "apps/support/recognition_data.h"

namespace imago::apps {

// What one training saw, as names of a catalogue: "person/instance" of rendered people, paths below
// the folder of others.
struct SeenFaces {
  std::set<std::string> images;
  std::set<std::string> people;  // of rendered people their numbers, else classes
};

// What a training on `seen` saw of the faces of `catalogue`, opened as `now`: empty where these are
// other data or nothing tells. Rendered people of one --data-seed are the same whatever else
// --identities, --images-per-identity and --label say; a folder is the same by its fingerprint.
// Images that training left out of its part (--exclude-pairs, --images-per-person) count as seen.
SeenFaces seen_faces(const SeenData& seen, const CatalogueFlags& now,
                     const data::Catalogue& catalogue);

// How the measured faces stand to those that the recogniser was trained on, in a sentence.
std::string kinship_of(const MeasuredFaces& faces, const TrainedRecogniser& recogniser);

// What to bear in mind about a recogniser and these faces: that it, or weights that it was started
// from, were trained on some of them (of people: on others of their images). "" where nothing is
// known.
std::string warning_of(const MeasuredFaces& faces, const TrainedRecogniser& recogniser,
                       const std::string& task);

}  // namespace imago::apps
