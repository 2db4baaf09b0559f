// 1:1 verification: are these two the same person? Measured as the field does.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/bootstrap.h"
#include "tensor/tensor.h"

namespace imago::models {

// Pairs of images with how alike they are.
struct ScoredPairs {
  std::vector<float> similarity;   // more is more alike; finite
  std::vector<std::uint8_t> same;  // 1: one person
  std::vector<std::int32_t> a, b;  // the person on either side, in [0, people)
  std::vector<int> fold;           // for fold accuracy; empty: none
  std::int32_t people = 0;

  std::size_t size() const { return similarity.size(); }
};

// Every pair i < j of N >= 2 images with a similarity matrix (N, N) f32 and their people, by any
// numbers.
ScoredPairs all_pairs(const Tensor& similarity, const std::vector<std::int64_t>& people);

struct RocPoint {
  double far = 0, tar = 0;  // shares of impostor and genuine pairs accepted at `threshold` or above
  double threshold = 0;
};

struct TarAtFar {
  double far = 0;          // that was asked for
  bool supported = false;  // at least 10 impostor pairs are expected at that rate; else the rest
                           // is NaN
  Interval tar = {};       // at the lowest threshold whose rate is not above `far`
  double threshold = 0;    // a score, or just above all of them where none keeps to the rate
};

// Accuracy in the manner of LFW (Huang et al. 2007): for each fold the threshold that is best on
// the other folds is used on it, and accuracy is the share of right pairs. The threshold is in the
// middle between two neighbouring scores; of several equally good places it takes the widest gap,
// and of equally wide ones the highest.
struct FoldAccuracy {
  Interval mean;              // over the folds; resamples keep the thresholds
  double standard_error = 0;  // over the folds: standard deviation / sqrt(folds)
  std::vector<double> folds, thresholds;
};

struct Verification {
  std::int64_t genuine = 0, impostor = 0;
  Interval auc;       // P(genuine above impostor) + P(equal) / 2 (Mann & Whitney)
  Interval eer;       // where FAR = FRR (1 - TAR), on the line between the two ROC points around it
  Interval accuracy;  // balanced, (TAR + 1 - FAR) / 2, at the best single threshold, optimistic
  double accuracy_threshold = 0;     // chosen among equally good ones as for folds
  std::vector<TarAtFar> tar_at_far;  // 1e-1, 1e-2, 1e-3
  std::optional<FoldAccuracy> folds;
  std::vector<RocPoint> roc;  // from (0, 0) to (1, 1), at most 1000 points
};

// Throws unless there are pairs of both kinds, all of one length, all finite, `same` where a is b,
// and folds, if any, numbered from 0 without a gap. O(P log P), then O(P) for each resample: a pair
// of two people counts as often as they were drawn together, the product of both times, a pair of
// one person as often as that person was drawn. (A person who was drawn twice stands for two people
// who look alike, and pairs of those two are left out.) Deterministic, for any number of threads.
Verification verify(const ScoredPairs& pairs, const BootstrapOptions& options = {});

// The area alone, for use during training. Asks for similarity and same only.
double roc_auc(const ScoredPairs& pairs);
// Verification::accuracy alone, likewise: balanced, at the best single threshold; 0.5 is chance.
double best_balanced_accuracy(const ScoredPairs& pairs);

}  // namespace imago::models
