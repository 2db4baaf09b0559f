// Problems that drive the tests and the bench of group, instance and layer norm.
#pragma once

#include <string>
#include <vector>

#include "kernels/group_norm/group_norm.h"
#include "kernels/tolerance.h"

namespace imago::kernels {

struct NormCase {
  std::string name;
  Shape x;
  std::int64_t groups = 0;  // of a group norm
  Shape normalised = {};    // of a layer norm

  NormProblem problem() const {
    return groups > 0 ? group_norm_problem(x, groups) : layer_norm_problem(x, normalised);
  }
  // Bytes that a pass moves at least: forward reads x and writes y, backward reads dy and x and
  // writes dx.
  double forward_bytes(DType dtype) const { return 2.0 * tensor_bytes(dtype); }
  double backward_bytes(DType dtype) const { return 3.0 * tensor_bytes(dtype); }

  // Largest error of results up to `scale` in magnitude, terms that may cancel in them included.
  double tolerance(DType in, DType out, double scale) const {
    return 2 * sum_tolerance(in, out, problem().terms(), scale) +
           4 * epsilon(acc_dtype(in)) * scale;
  }
  // Of dgamma and dbeta, sums of terms of about `term` in magnitude.
  double parameter_tolerance(DType in, double term) const {
    const NormProblem p = problem();
    const double terms = static_cast<double>(p.images * p.pixels);
    return 2 * sum_tolerance(in, acc_dtype(in), p.images * p.pixels, term * std::sqrt(terms)) +
           8 * epsilon(acc_dtype(in)) * term * std::sqrt(terms);
  }

 private:
  double tensor_bytes(DType dtype) const {
    return static_cast<double>(x.numel()) * static_cast<double>(size_of(dtype));
  }
};

inline std::vector<NormCase> norm_cases() {
  return {
      {"rows of two", {3, 2}, 0, {2}},
      {"rows", {7, 33}, 0, {33}},
      {"rows of packs", {9, 64}, 0, {64}},
      {"many rows", {301, 24}, 0, {24}},
      {"two dimensions", {5, 3, 4, 10}, 0, {4, 10}},
      {"a block for a row", {3, 1500}, 0, {1500}},
      {"odd and long", {2, 1031}, 0, {1031}},
      {"as long as a warp takes", {2, 1024}, 0, {1024}},
      {"groups of vectors", {70, 24}, 3},
      {"one group of vectors", {4, 10}, 1},
      {"images", {3, 5, 7, 12}, 4},
      {"one group", {2, 4, 4, 6}, 1},
      {"each channel", {3, 5, 4, 3}, 3},
      {"each channel, many", {2, 3, 3, 70}, 70},
      {"wide groups", {2, 6, 5, 96}, 2},
      {"several parts", {2, 37, 40, 8}, 2},
      {"odd channels", {4, 9, 7, 11}, 11},
  };
}

}  // namespace imago::kernels
