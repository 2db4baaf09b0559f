// Which faces recognition is measured on, and which ones methods are fitted to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/support/recognition_flags.h"
#include "data/catalogue.h"
#include "data/split.h"
#include "models/recogniser.h"
#include "nn/safetensors.h"
#include "tensor/tensor.h"

namespace imago::apps {

struct MeasuredFaces {
  CatalogueFlags flags;  // what was opened, and how it is split
  data::Catalogue catalogue;
  // Of a recogniser: these are all the images it was trained on and those held out from it.
  bool same_data = false;
  bool split_alike = false;          // and split as it was for training
  std::string part;                  // held-out, train, all, validation, test or pairs
  std::vector<std::int64_t> images;  // of the catalogue, rising: those measured
  data::PairList pairs;              // of part "pairs"; indices of the catalogue
  std::vector<std::string> notes;    // for people: what was chosen, and from what

  std::int64_t person(std::int64_t image) const {
    return catalogue.labels.images[static_cast<std::size_t>(image)];
  }
};

// A recogniser with what its file says of its data.
struct TrainedRecogniser {
  SafetensorsFile file;
  models::RecogniserOptions options;

  bool of_people() const;  // its classes are people; else two classes, or expressions
};
TrainedRecogniser open_recogniser(const std::string& checkpoint);

// Opens --data at size x size. With a recogniser they are read and split as its training data were,
// but for what the flags say, where the fingerprint agrees or both are procedural. What is measured
// if --part does not say: what is held out of the recogniser's own data, all of other data; without
// a recogniser, what is held out where verification fits something to the rest, else all. --count
// draws whole people (images for classification) by the seed; pairs of all images are made of 3000
// at most unless it says otherwise. Throws UsageError for parts that are not there and for too few
// people.
MeasuredFaces open_measured_faces(const Flags& flags, const RecognitionFlags& f,
                                  const TrainedRecogniser* recogniser, const std::string& task,
                                  int size);

// At most this many images are fitted to, drawn by the seed.
inline constexpr std::int64_t most_fitted = 2000;

// The images that methods are fitted to, f32 (N, size, size, 3) in [-1, 1], on the CPU; `gallery`
// are those of identification, which are taken with --part all and without --fit. Adds to the notes
// what they are.
Tensor images_to_fit(const RecognitionFlags& f, const MeasuredFaces& faces, int size,
                     const std::vector<std::int64_t>* gallery, std::vector<std::string>& notes);

}  // namespace imago::apps
