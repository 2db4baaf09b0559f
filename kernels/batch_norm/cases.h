// Problems that drive the tests and the bench of batch norm:
// small odd ones, and the layers of DCGAN.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/batch_norm/batch_norm.h"
#include "kernels/tolerance.h"

namespace imago::kernels {

struct BatchNormCase {
  std::string name;
  Shape x;
  std::int64_t stat_groups = 1;

  std::int64_t channels() const { return x[-1]; }
  std::int64_t rows() const { return x.numel() / channels() / stat_groups; }  // of one group
  // Bytes that a pass moves at least once x outgrows the caches: forward reads x twice and writes
  // y, backward reads dy and x twice and writes dx.
  double forward_bytes(DType dtype) const { return 3.0 * tensor_bytes(dtype); }
  double backward_bytes(DType dtype) const { return 5.0 * tensor_bytes(dtype); }

  // Largest errors of results stored as `out` from inputs of `in`. In f32 and bf16 only blocks of
  // up to 64 rows are summed in acc_t, the rest in f64, so the bounds do not grow with the batch.
  //
  // `scale` is the largest magnitude of a true result, of terms that may cancel in it included; the
  // mean itself is rounded to acc_t, so for y that is max |y| + max |gamma * mean * invstd|.
  double tolerance(DType in, DType out, double scale) const {
    const std::int64_t terms = in == DType::f64 ? rows() : std::min<std::int64_t>(rows(), 64);
    return sum_tolerance(in, out, terms, scale);
  }
  // Of dgamma and dbeta, sums over all rows of terms of about `term` in magnitude.
  double parameter_tolerance(DType in, double term) const {
    return tolerance(in, acc_dtype(in),
                     term * std::sqrt(static_cast<double>(rows() * stat_groups)));
  }

 private:
  double tensor_bytes(DType dtype) const {
    return static_cast<double>(x.numel()) * static_cast<double>(size_of(dtype));
  }
};

inline std::vector<BatchNormCase> batch_norm_cases() {
  return {
      {"two values, one channel", {2, 1}},
      {"vectors", {7, 8}},
      {"vectors, one block", {6, 64}},
      {"fewer rows than a fold", {5, 511}},
      {"one value per image", {3, 1, 1, 16}},
      {"three channels", {2, 13, 11, 3}},
      {"primes", {3, 5, 7, 11}},
      {"rank 3", {2, 9, 20}},
      {"rank 5", {2, 3, 2, 5, 6}},
      {"one row past a block", {1, 13, 5, 64}},
      {"several parts and a tail", {4, 19, 23, 24}},
      {"several blocks in a part", {3, 37, 41, 64}},
      {"wide", {2, 3, 3, 192}},
      {"many channels", {33, 2, 4, 1000}},
      {"two groups", {4, 20}, 2},
      {"two groups, primes", {4, 9, 5, 17}, 2},
      {"three groups of several parts", {6, 15, 13, 40}, 3},
      {"as many groups as images", {5, 6, 3, 64}, 5},
      {"more groups than a block takes", {9, 8, 32}, 9},
  };
}

// The inputs of DCGAN's batch norms, D and G at 64 x 64.
inline std::vector<BatchNormCase> dcgan_batch_norms(std::int64_t batch) {
  return {
      {"G 32x32x64", {batch, 32, 32, 64}},
      {"D, G 16x16x128", {batch, 16, 16, 128}},
      {"D, G 8x8x256", {batch, 8, 8, 256}},
      {"D, G 4x4x512", {batch, 4, 4, 512}},
  };
}

}  // namespace imago::kernels
