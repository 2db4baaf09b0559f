#include "models/scores.h"

#include <algorithm>

#include "models/feature_matrix.h"
#include "models/metrics.h"

namespace imago::models {
namespace {

constexpr std::uint64_t direction_seed = 1;

}  // namespace

Scores score(const Tensor& fake, const Tensor& real, const ScoreOptions& options) {
  Scores s;
  s.frechet = frechet_by_size(fake, real);
  s.kernel = kernel_distance(fake, real, options.kernel_block);
  s.manifold = manifold_scores(fake, real, options.neighbours);
  s.fakes = fake.size(0);
  s.reals = real.size(0);
  s.dimensions = fake.size(1);
  const FeatureMatrices m = feature_matrices("sliced_wasserstein", fake, real, 2);
  s.directions = options.directions;
  s.sliced_wasserstein = sliced_wasserstein(
      m.fake, m.real, unit_directions(s.directions, s.dimensions, direction_seed));
  const std::int64_t least = std::min(s.fakes, s.reals), D = s.dimensions;
  const auto count = [](std::int64_t n) { return std::to_string(n); };
  if (least <= D) {
    s.warnings.push_back(count(least) + " samples of " + count(D) +
                         " features: the covariance has no full rank, and the Fréchet distance is "
                         "mostly bias; take more than " +
                         count(D));
  } else if (least / 4 <= D) {
    s.warnings.push_back(
        "a quarter of the samples, " + count(least / 4) + ", is no more than the " + count(D) +
        " features: the Fréchet distance extrapolated to infinity is a rough guess");
  }
  if (s.kernel.blocks == 1) {
    s.warnings.push_back("the kernel distance has a single block of " + count(s.kernel.block) +
                         " samples, so its error is not known");
  }
  if (s.fakes != s.reals) {
    s.warnings.push_back("there are " + count(s.fakes) + " fakes but " + count(s.reals) +
                         " reals; precision, recall and coverage compare only between sets of the "
                         "same sizes");
  }
  return s;
}

Scores score(FaceFeatures& network, const Tensor& fake_images, const Tensor& real_features,
             const ScoreOptions& options) {
  Scores s = score(network.features_of(fake_images), real_features, options);
  s.features = network.label();
  return s;
}

}  // namespace imago::models
