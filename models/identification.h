// 1:N identification: who of the gallery is this, if anybody?
#pragma once

#include <cstdint>
#include <vector>

#include "models/bootstrap.h"
#include "tensor/tensor.h"

namespace imago::models {

struct Matches {
  Tensor index;       // (N, k), i64: rows of the gallery, most alike first
  Tensor similarity;  // (N, k), f32
};

// The k most alike rows of gallery (M, D) for each probe (N, D), f32 with rows of length 1, by
// cosine; of equally alike ones the first in the gallery. Works through blocks of the gallery with
// kernels/gemm and keeps the best k + 16, so memory is O(N k), not O(N M); those are put in order
// by cosines that are summed in f64 and rounded to f32. Where more than k + 16 rows of the gallery
// lie within rounding of f32 sums of each other, one may stand for another. 1 <= k <= M; throws
// where a row is not finite or its squared length is off 1 by more than 0.02. Computes on the CPU,
// where the result is, too. Deterministic, for any number of threads.
Matches search(const Tensor& probes, const Tensor& gallery, int k);

struct OpenSetRate {
  double fpir = 0;         // false positive identification rate asked for
  bool supported = false;  // at least 10 strangers are expected at that rate; else the rest is NaN
  Interval dir = {};       // detection and identification rate: known probes at rank 1 and above
  double threshold = 0;    // the lowest f32 whose false positive rate is not above fpir
};

struct Identification {
  std::int64_t gallery = 0, people = 0;    // images, and people whom they show
  std::int64_t probes = 0, strangers = 0;  // known ones, and the others
  Interval rank1, rank5;
  std::vector<double> cmc;            // shares of probes found within rank 1, 2, ..., at most 50
  std::vector<OpenSetRate> open_set;  // FPIR 1e-1, 1e-2; empty without strangers
};

// Closed set: similarity (P, G) f32, finite, of probes and gallery images, and who they show. The
// rank of a probe is that of its person when each person has the best of their gallery images; of
// people equally alike the wrong one counts as before. Probes of people who are not in the gallery
// are the strangers of the open set (Phillips et al. 2011, ISO/IEC 19795-1): the false positive
// rate is the share of them whose best similarity is at the threshold or above. There must be known
// probes. Resamples the people of the probes, known ones and strangers together; the gallery stays
// as it is. Deterministic, for any number of threads.
Identification identify(const Tensor& similarity, const std::vector<std::int64_t>& probe_people,
                        const std::vector<std::int64_t>& gallery_people,
                        const BootstrapOptions& options = {});

}  // namespace imago::models
