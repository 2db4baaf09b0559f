// What image-to-image networks learn from, what they are measured on, and their pictures.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/image.h"
#include "models/translation.h"

namespace imago::apps {

// Seeds of procedural people whom no training meets: neither those of the data set "procedural",
// which have seed 1, nor the recogniser's (apps/train_features). The first are watched while a run
// trains, the second scored by evaluate.
inline constexpr std::uint64_t watched_people = 9001, scored_people = 9002;

// One image of each of `people`; for matte with its matte, as MattedFaces.
std::shared_ptr<const data::Dataset> procedural_people(models::TranslationTask task, int image,
                                                       std::uint64_t seed, int people);

struct TranslationData {
  std::shared_ptr<const data::Dataset> training;
  std::shared_ptr<const data::Dataset> held_out;  // up to 64 images, none of which the other shows
};

// "procedural": its 10,000 faces, and 64 of watched_people. A folder: its last images by path, a
// tenth of all but 64 at most, are held out. Throws UsageError for a folder where mattes are
// wanted, and Error for one with fewer than two images.
TranslationData open_translation_data(models::TranslationTask task, const std::string& data,
                                      int image, bool skip_broken);
// Throws that UsageError.
void check_translation_data(models::TranslationTask task, const std::string& data);

// All images of a data set: f32 (N, S, S, C) in [-1, 1], on the device of the Context.
Tensor all_images(const data::Dataset& dataset);

// The first rows * groups images of each of `columns`, which are (N, S, S, 1), (N, S, S, 3) or an
// input of inpainting (N, S, S, 4), f32 in [-1, 1], side by side: groups of one image from each
// column, so many groups in a row. Fewer rows, or fewer groups of a single row, where there are
// fewer images.
data::Image comparison_sheet(const std::vector<Tensor>& columns, int rows, int groups);

}  // namespace imago::apps
