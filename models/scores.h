// All scores of a set of generated images against real ones, on the features of a network that is
// named with them. None of them is FID, which needs the Inception network.
//
// In a training loop, with the real features computed once:
//
//   models::FaceFeatures features = models::face_features();
//   const Tensor real = features.features_of(real_images);
//   ... every so many steps:
//   const models::Scores s = models::score(features, trainer.generate(noise), real);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/face_features.h"
#include "models/frechet.h"
#include "models/kernel_distance.h"
#include "models/neighbours.h"

namespace imago::models {

struct ScoreOptions {
  int neighbours = 5;                // k of precision, recall, density and coverage
  std::int64_t kernel_block = 1000;  // samples of each set in a block of the kernel distance
  // Of the sliced Wasserstein distance: of one seed, so that they are the same ones each time.
  int directions = 128;
};

struct Scores {
  std::int64_t fakes = 0, reals = 0, dimensions = 0;
  std::string features;  // label of the network, as FaceFeatures::label() has it
  FrechetBySize frechet;
  KernelDistance kernel;
  ManifoldScores manifold;
  double sliced_wasserstein = 0;      // of the features, models/metrics.h; in units of the features
  int directions = 0;                 // along which it was computed
  std::vector<std::string> warnings;  // what to bear in mind when reading them

  double frechet_distance() const { return frechet.distance[2]; }
};

// Features (N, D) of fakes and (M, D) of reals, f32 or f64, each in random order, at least 8 and
// more than `neighbours` of each. Deterministic, for any number of threads. Measured: all of
// `evaluate --generator ... --count 10000` on photographs of 64x64, with images, features and these
// scores, took 29 s on two cores.
Scores score(const Tensor& fake_features, const Tensor& real_features,
             const ScoreOptions& options = {});

// The same of fake images (N, H, W, 3), f32 in [-1, 1], against real features of that network.
Scores score(FaceFeatures& network, const Tensor& fake_images, const Tensor& real_features,
             const ScoreOptions& options = {});

}  // namespace imago::models
