// Problems that drive the tests and the bench of conv2d: small odd ones, and the layers of DCGAN.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/conv2d/conv2d.h"
#include "kernels/tolerance.h"

namespace imago::kernels {

struct Conv2dCase {
  std::string name;
  std::int64_t N, H, W, C;
  std::int64_t K, R, S;
  Conv2dParams params;

  Shape x() const { return {N, H, W, C}; }
  Shape w() const { return {K, R, S, C / params.groups}; }
  Shape y() const {
    const Conv2dProblem d = problem();
    return {d.N, d.P, d.Q, d.K};
  }
  Conv2dProblem problem() const { return conv2d_problem("cases", x(), w(), params); }
  // The same for every pass.
  double flops() const { return problem().flops(); }
  // Bytes that a pass must move at least: every operand read once, the result written once.
  double bytes(DType dtype) const {
    return static_cast<double>(x().numel() + w().numel() + y().numel()) *
           static_cast<double>(size_of(dtype));
  }
  // Products summed into one element of the result of a pass, at most.
  std::int64_t terms(Conv2dPass pass) const {
    const Conv2dProblem d = problem();
    switch (pass) {
      case Conv2dPass::forward:
        return R * S * (C / params.groups);
      case Conv2dPass::input_grad:
        return R * S * (K / params.groups);
      case Conv2dPass::weight_grad:
        return d.N * d.P * d.Q;
    }
    return 0;
  }
  // Largest error of a pass in `dtype` whose true results are at most `scale` in magnitude.
  double tolerance(Conv2dPass pass, DType dtype, double scale) const {
    return sum_tolerance(dtype, dtype, terms(pass), scale);
  }
};

// Small and odd: primes, 1 x 1, batch 1, every parameter away from its default at least once.
inline std::vector<Conv2dCase> conv2d_cases() {
  const auto same = [](int stride, int pad) {
    return Conv2dParams{.stride_h = stride, .stride_w = stride, .pad = Padding::same(pad)};
  };
  return {
      {"one by one everywhere", 1, 1, 1, 1, 1, 1, 1, {}},
      {"pointwise", 3, 5, 7, 11, 13, 1, 1, {}},
      {"pointwise, stride 2", 2, 5, 6, 7, 5, 1, 1, same(2, 0)},
      {"k3 s1 p1, primes", 2, 7, 5, 13, 17, 3, 3, same(1, 1)},
      {"k3 s1 p1, wide channels", 1, 5, 6, 67, 37, 3, 3, same(1, 1)},
      {"k3 s1 p2", 1, 4, 3, 5, 3, 3, 3, same(1, 2)},
      {"k3 s2 p1, odd", 2, 9, 7, 6, 19, 3, 3, same(2, 1)},
      {"k4 s2 p1", 3, 8, 8, 16, 32, 4, 4, same(2, 1)},
      {"k4 s2 p1, odd extents", 2, 9, 11, 5, 7, 4, 4, same(2, 1)},
      {"k4 s2 p1, three channels", 3, 12, 10, 3, 35, 4, 4, same(2, 1)},
      {"k4 s2 p1, one channel", 1, 6, 6, 1, 33, 4, 4, same(2, 1)},
      {"k5 s2 p2", 1, 11, 8, 4, 6, 5, 5, same(2, 2)},
      {"k5 s3 p1", 1, 13, 12, 7, 3, 5, 5, same(3, 1)},
      {"k7 s2 p3, three channels", 1, 13, 15, 3, 8, 7, 7, same(2, 3)},
      {"stride larger than kernel", 2, 11, 13, 5, 4, 2, 2, same(3, 0)},
      {"stride larger than kernel, 1 x 1", 1, 10, 9, 3, 2, 1, 1, same(4, 0)},
      {"stride equals kernel", 2, 6, 8, 9, 10, 2, 2, same(2, 0)},
      {"kernel covers the input", 5, 4, 4, 23, 1, 4, 4, {}},
      {"kernel covers the input, many outputs", 3, 4, 4, 19, 41, 4, 4, {}},
      {"kernel covers the padded input", 2, 3, 2, 6, 5, 5, 4, same(1, 1)},
      {"padding wider than the kernel", 1, 2, 2, 3, 4, 1, 1, same(1, 2)},
      {"asymmetric padding", 2, 7, 6, 8, 9, 3, 3, {.pad = {0, 2, 1, 0}}},
      {"asymmetric padding, k4 s2",
       1,
       7,
       9,
       8,
       9,
       4,
       4,
       {.stride_h = 2, .stride_w = 2, .pad = {1, 2, 2, 1}}},
      {"asymmetric kernel and stride",
       2,
       9,
       8,
       5,
       6,
       2,
       5,
       {.stride_h = 1, .stride_w = 3, .pad = {0, 1, 2, 2}}},
      {"rows left over", 1, 8, 9, 4, 5, 3, 2, {.stride_h = 4, .stride_w = 5}},
      {"dilation 2",
       1,
       9,
       9,
       4,
       5,
       3,
       3,
       {.pad = Padding::same(2), .dilation_h = 2, .dilation_w = 2}},
      {"dilation 3 x 2, stride 2",
       2,
       11,
       10,
       3,
       4,
       3,
       2,
       {.stride_h = 2, .stride_w = 2, .pad = {1, 0, 2, 1}, .dilation_h = 3, .dilation_w = 2}},
      {"two groups", 2, 6, 5, 6, 10, 3, 3, {.pad = Padding::same(1), .groups = 2}},
      {"depthwise",
       1,
       7,
       7,
       5,
       10,
       3,
       3,
       {.stride_h = 2, .stride_w = 2, .pad = Padding::same(1), .groups = 5}},
      {"groups and dilation", 1, 8, 7, 9, 6, 2, 2, {.dilation_h = 2, .dilation_w = 3, .groups = 3}},
  };
}

// Problems with an edge for each kind of tile that the engines of CUDA cut a pass into: several
// tiles with a remainder in every direction, several slices of the depth, a depth that is split.
inline std::vector<Conv2dCase> conv2d_tile_cases() {
  const auto same = [](int stride, int pad) {
    return Conv2dParams{.stride_h = stride, .stride_w = stride, .pad = Padding::same(pad)};
  };
  return {
      {"slim columns", 3, 20, 22, 3, 8, 4, 4, same(2, 1)},
      {"slim columns, all four", 2, 18, 17, 4, 4, 3, 3, same(1, 1)},
      {"tall tiles, split depths", 3, 8, 9, 32, 68, 3, 3, same(1, 1)},
      {"tall tiles, one element at a time", 3, 8, 9, 30, 67, 3, 3, same(1, 1)},
      {"phases of unequal size, split", 2, 17, 15, 20, 72, 5, 5, same(2, 2)},
  };
}

// The convolutions of DCGAN 64 x 64. A layer of G is the adjoint of the layer of D it is named
// with: its forward pass is the input gradient here.
inline std::vector<Conv2dCase> dcgan_layers(std::int64_t batch) {
  const Conv2dParams halve{.stride_h = 2, .stride_w = 2, .pad = Padding::same(1)};
  return {
      {"D1/G5", batch, 64, 64, 3, 64, 4, 4, halve},
      {"D2/G4", batch, 32, 32, 64, 128, 4, 4, halve},
      {"D3/G3", batch, 16, 16, 128, 256, 4, 4, halve},
      {"D4/G2", batch, 8, 8, 256, 512, 4, 4, halve},
      {"D5", batch, 4, 4, 512, 1, 4, 4, {}},
      {"G1", batch, 4, 4, 512, 100, 4, 4, {}},
  };
}

}  // namespace imago::kernels
