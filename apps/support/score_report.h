// What evaluate tells: scores as text and as JSON, sheets of nearest neighbours.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/support/run_folder.h"
#include "data/dataset.h"
#include "data/image.h"
#include "models/mode_coverage.h"
#include "models/scores.h"

namespace imago::apps {

// Modes are combinations of these attributes, of which weights of one's own may lack some.
struct Modes {
  std::vector<models::FaceAttribute> attributes;
  models::ModeCoverage coverage;
};

// Modes over glasses, beard, hair and skin, as the network sees them; nothing when it knows none of
// these. fake (N, 128) and real (M, 128) are features of it.
std::optional<Modes> find_modes(models::FaceFeatures& network, const Tensor& fake,
                                const Tensor& real);

// "glasses clear, beard full": the values of a mode in words.
std::string describe(const models::Mode& mode, const std::vector<models::FaceAttribute>& of);

// What to bear in mind when reading them: that there is no mode at all; "" otherwise.
std::string note_on(const Modes& modes);

// How much of sets of images (N, H, W, 3) alternates from pixel to pixel (models/checkerboard.h),
// as a line for people and as JSON: of generated ones, of real ones, and of an untrained generator
// where there is one, which may be undefined. More than in real images is a checkerboard.
Json print_checkerboards(const Tensor& fake, const Tensor& real, const Tensor& untrained);

// Lines for people. `untrained` is the Fréchet distance of the untrained generator, where there is
// one.
void print_scores(const models::Scores& scores, std::optional<double> untrained,
                  const std::optional<Modes>& modes);
Json to_json(const models::Scores& scores);
Json to_json(const Modes& modes);

// Images [begin, end) of a data set: u8 (end - begin, S, S, C), on the CPU.
Tensor images_of(const data::Dataset& dataset, std::int64_t begin, std::int64_t end);

// The first `rows` of the images (N, S, S, 3), f32 in [-1, 1], each followed by its `columns`
// nearest images of the data set, nearest first: has the generator learnt its training images by
// heart?
data::Image neighbour_sheet(models::FaceFeatures& network, const Tensor& images,
                            const data::Dataset& dataset, std::int64_t rows, int columns);

}  // namespace imago::apps
