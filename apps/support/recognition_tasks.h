// Measuring one recogniser, or one method, on one task: verification, identification or
// classification.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/support/recognition_data.h"
#include "models/bootstrap.h"
#include "models/confusion.h"
#include "models/face_encoder.h"
#include "models/identification.h"
#include "models/recogniser.h"
#include "models/verification.h"

namespace imago::apps {

// How every image is made worse before it is looked at; nothing: not at all. Glare first, which is
// in the scene, then darkness, which is in the camera. Image i of a list meets the same change
// whoever looks at it.
struct Worsening {
  std::optional<double> darkness;  // stops
  std::optional<double> glare;     // strength, 0 to 1
  std::uint64_t seed = 1;
};

// Images of a catalogue pass through memory so many at a time.
inline constexpr std::int64_t embedding_batch = 512;

struct Embedded {
  Tensor rows;                              // (N, D) f32 on the CPU
  double seconds = 0, loading_seconds = 0;  // of all, and of reading and worsening in it

  double images_per_second() const;
};
// The rows of these images of the catalogue, in their order.
Embedded embed(models::FaceEncoder& encoder, const data::Catalogue& catalogue,
               const std::vector<std::int64_t>& images, const Worsening& worsening);

// A method of --method, fitted to images (N, S, S, 3), f32 in [-1, 1], where it needs that.
std::unique_ptr<models::FaceEncoder> make_method(const std::string& method, const Tensor& images);

// Two images each of `faces.images`, with the similarity of their rows (N, D): all pairs, or those
// of faces.pairs, with their folds if there are several.
models::ScoredPairs scored_pairs(const models::FaceEncoder& encoder, const MeasuredFaces& faces,
                                 const Tensor& rows);

// Who is in the gallery: places in MeasuredFaces::images, rising.
struct GalleryDraw {
  std::vector<std::int64_t> gallery, probes;
  std::int64_t strangers = 0;       // people who are left out of the gallery, all images probes
  std::int64_t without_probes = 0;  // people in the gallery with no image left for a probe
};
// `each` images of every person but for `strangers` of them (a share), drawn by (seed, draw);
// people with fewer are in it with all. Throws UsageError when nobody has an image left for a
// probe, or fewer than two people would be in the gallery.
GalleryDraw draw_gallery(const MeasuredFaces& faces, int each, double strangers, std::uint64_t seed,
                         int draw);

// Identification over all draws of the gallery.
struct Identified {
  models::Identification first;      // of the first draw, with its intervals
  std::vector<double> rank1, rank5;  // of each draw
  double search_seconds = 0;         // comparing all probes with the gallery, the first draw
};
// Adds a draw. `rows` (N, D) are those of faces.images.
void add_draw(Identified& all, const models::FaceEncoder& encoder, const MeasuredFaces& faces,
              const GalleryDraw& draw, const Tensor& rows, const models::BootstrapOptions& options);

double mean(const std::vector<double>& values);
double deviation(const std::vector<double>& values);  // of a sample; 0 of fewer than two

// What a recogniser answers.
struct Classified {
  models::Confusion confusion;  // over the recogniser's classes
  std::int64_t unknown = 0;     // images left out: of classes that it does not know
  Embedded timing;              // rows are the probabilities
};
// Throws, naming some classes of both, when it knows none of those of the images.
Classified classify(models::RecogniserEncoder& encoder, const MeasuredFaces& faces,
                    const Worsening& worsening, const models::BootstrapOptions& options);

}  // namespace imago::apps
