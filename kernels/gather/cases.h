// Problems that drive the tests and the bench of gather.h.
#pragma once

#include <vector>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace imago::kernels {

// index_select: x (outer..., extent, inner...), `axis` of it, indices (indices...).
struct SelectCase {
  Shape x;
  int axis;
  Shape indices;

  std::int64_t picked() const { return x[axis] == 0 ? 0 : x.numel() / x[axis] * indices.numel(); }
  // Indices and rows are read once, the result is written once.
  double bytes(DType dtype) const {
    return static_cast<double>(8 * indices.numel()) +
           2.0 * static_cast<double>(picked()) * static_cast<double>(size_of(dtype));
  }
};

inline std::vector<SelectCase> select_cases() {
  return {
      {{1}, 0, {1}},           {{5}, 0, {}},  // a scalar index takes the axis away
      {{7, 3}, 0, {4, 5}},                    // an embedding
      {{131, 64}, 0, {3, 97}},                // several pieces of the list, places and columns
      {{67, 33}, 0, {300}},    {{2, 64}, 0, {513}},        // few places, many terms
      {{3, 70, 5}, 1, {11}},   {{4, 3, 129}, -1, {2, 3}},  // along the innermost axis
      {{65, 40}, 0, {257}},                                // words of 16 bytes
      {{30, 3}, 0, {2, 1100}},  // more picks than a thread lists at a time
      {{9, 4}, 0, {0}},        {{2, 0, 3}, 1, {0}},
      {{0, 4}, 1, {3}},
  };
}

// gather: `picks` along the axis for each place outside and inside of it.
struct GatherCase {
  Shape x;
  int axis;
  std::int64_t picks;

  Shape indices() const {
    Shape shape = x;
    shape.set(axis, picks);
    return shape;
  }
  // For each element its index, the element, and where it goes.
  double bytes(DType dtype) const {
    return static_cast<double>(indices().numel()) * (8 + 2.0 * static_cast<double>(size_of(dtype)));
  }
};

inline std::vector<GatherCase> gather_cases() {
  return {
      {{1}, 0, 1},         {{5}, 0, 17},        {{9, 10}, 1, 1},  // the score of a label
      {{37, 131}, 1, 3},   {{131, 37}, 0, 70},  // several ranges of places, tiles of columns
      {{3, 65, 7}, 1, 20}, {{2, 64, 33}, 1, 9}, {{3, 5, 2, 6}, 2, 5},
      {{4, 5}, 1, 0},      {{0, 5}, 1, 2},
  };
}

}  // namespace imago::kernels
