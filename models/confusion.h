// What a classifier takes for what.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/bootstrap.h"
#include "tensor/tensor.h"

namespace imago::models {

struct Confusion {
  std::vector<std::string> classes;
  std::vector<std::vector<std::int64_t>> counts;  // [truth][answer]
  Interval accuracy;                              // the share of right answers
  Interval balanced_accuracy;  // the mean of the recalls of the classes that occur
  // Of each class; NaN where it is 0 / 0. Of the recall, the accuracy of a class, with intervals.
  std::vector<Interval> recall;
  std::vector<double> precision, f1;
  std::int64_t total() const;
};

// Truths and answers in [0, K), of equally many images, at least one. Resamples images, or where
// `people` has a number for each image, these.
Confusion confusion(const std::vector<std::int64_t>& truth, const std::vector<std::int64_t>& answer,
                    const std::vector<std::string>& classes, const BootstrapOptions& options = {},
                    const std::vector<std::int64_t>& people = {});

// The place of the largest in each row of (N, K) f32; the first of equal ones. Throws where one is
// NaN.
std::vector<std::int64_t> answers_of(const Tensor& probabilities);

}  // namespace imago::models
