// The input gradient of a strided convolution as dense products, one for each phase.
//
// Input row h receives the taps r with (h + top - r) divisible by the
// stride: rows of equal remainder a = (h + top) mod stride share the taps r = a, a + stride, ... So
// the stride_h * stride_w remainders are that many dense products of stride 1, each with its own
// subset of the taps, whose work adds up to that of the forward pass. For k4 s2 p1, along one axis:
//
//   h            0   1   2   3   4   5      even h: a = 1, taps r = 1, 3
//   a            1   0   1   0   1   0      odd h:  a = 0, taps r = 0, 2
//   sees y       0   1   1   2   2   3      through tap a      p = i + shift, i = h / 2
//   and y       -1   0   0   1   1   2      through tap a + 2  p = i + shift - 1
#pragma once

#include <algorithm>

#include "kernels/conv2d/gather.cuh"
#include "kernels/gemm/tile_plan.h"

namespace imago::kernels {

// One axis of the input gradient's phases.
struct PhaseAxis {
  int stride, pad;
  int extent, taps;                // H and R
  Divisor extents[2], taps_of[2];  // of a phase: the smaller and the larger possibility

  PhaseAxis() = default;
  PhaseAxis(std::int64_t extent_, std::int64_t taps_, int stride_, int pad_)
      : stride(stride_),
        pad(pad_),
        extent(static_cast<int>(extent_)),
        taps(static_cast<int>(taps_)),
        extents{Divisor(extent_ / stride), Divisor(extent_ / stride + 1)},
        taps_of{Divisor(taps_ / stride), Divisor(taps_ / stride + 1)} {}

  // Phase a: its rows are first, first + stride, ...; row number i sees output i + shift - t
  // through tap a + t * stride.
  struct Phase {
    int a, first, shift;
    Divisor rows, taps;
  };
  __device__ Phase phase(int a) const {
    const int behind = (pad - a) % stride;  // may be negative
    const int first = behind > 0 ? stride - behind : -behind;
    return {a, first, (first + pad - a) / stride, extents[first < extent % stride],
            taps_of[a < taps % stride]};
  }
};

// Weights (K, R, S, C) of one phase as an operand: column n is channel c, depth k is (t_h, t_w, k)
// for tap (h.a + t_h * stride_h, w.a + t_w * stride_w).
template <class T, int lanes_>
struct PhaseWeights {
  using Element = T;
  static constexpr int lanes = lanes_;
  static constexpr bool along_k = false;

  const T* weights;
  int C, RSC;
  Divisor K, taps_w;
  int depth;           // of this phase
  int first;           // element of the first tap
  int step_h, step_w;  // elements from one tap to the next

  // Offsets: past the last channel that of the last one, past the last depth -1.
  __device__ int outer(int c) const { return first + std::min(c, C - lanes); }
  __device__ int inner(int k) const {
    if (k >= depth) return -1;
    const int at = K.divide(k), filter = k - at * K.value;
    const int t_h = taps_w.divide(at), t_w = at - t_h * taps_w.value;
    return filter * RSC + t_h * step_h + t_w * step_w;
  }
  __device__ Lanes<T, lanes> load(int c, int k) const {
    if (k < 0) return {};
    return load_as<Lanes<T, lanes>>(weights + (c + k));
  }
};

// Rows of one phase of the input gradient within x (N, H, W, C).
template <class T>
struct PhaseSink {
  T* out;
  int columns;  // C
  int rows;     // N * rows of the phase * columns of the phase
  int H, W;
  PhaseAxis::Phase h, w;
  int stride_h, stride_w;

  __device__ int row(int m) const {
    if (m >= rows) return -1;
    const int at = w.rows.divide(m), j = m - at * w.rows.value;
    const int n = h.rows.divide(at), i = at - n * h.rows.value;
    return ((n * H + h.first + i * stride_h) * W + w.first + j * stride_w) * columns;
  }
};

// All phases of one input gradient: an argument of the kernels.
template <class T>
struct PhaseProblem {
  const T* y;  // (N, P, Q, K)
  const T* w;  // (K, R, S, C)
  int N, P, Q, C, RSC;
  Divisor K;
  PhaseAxis h, w_axis;

  int count() const { return h.stride * w_axis.stride; }
  // Rows and depth of the largest phase.
  std::int64_t most_rows() const {
    return std::int64_t{N} * tiles_over(h.extent, h.stride) *
           tiles_over(w_axis.extent, w_axis.stride);
  }
  std::int64_t most_depth() const {
    return tiles_over(h.taps, h.stride) * tiles_over(w_axis.taps, w_axis.stride) * K.value;
  }
};

template <class T>
PhaseProblem<T> phases_of(const Conv2dProblem& p, const Tensor& y, const Tensor& w) {
  const auto narrow = [](std::int64_t extent) { return static_cast<int>(extent); };
  return {.y = y.device_data<T>(),
          .w = w.device_data<T>(),
          .N = narrow(p.N),
          .P = narrow(p.P),
          .Q = narrow(p.Q),
          .C = narrow(p.C),
          .RSC = narrow(p.R * p.S * p.C),
          .K = Divisor(p.K),
          .h = PhaseAxis(p.H, p.R, p.params.stride_h, p.params.pad.top),
          .w_axis = PhaseAxis(p.W, p.S, p.params.stride_w, p.params.pad.left)};
}

// One phase: product = rows * weights -> sink.
template <class T, int lanes_a, int lanes_b>
struct PhaseProduct {
  PixelRows<T, lanes_a> rows;
  PhaseWeights<T, lanes_b> weights;
  PhaseSink<T> sink;
};

template <class T, int lanes_a, int lanes_b>
__device__ PhaseProduct<T, lanes_a, lanes_b> product_of_phase(const PhaseProblem<T>& p, int index,
                                                              T* x) {
  const int a_h = index / p.w_axis.stride;
  const PhaseAxis::Phase h = p.h.phase(a_h), w = p.w_axis.phase(index - a_h * p.w_axis.stride);
  const int pixels = p.N * h.rows.value * w.rows.value;
  const int depth = h.taps.value * w.taps.value * p.K.value;
  return {{{.image = p.y,
            .rows = p.P,
            .columns = p.Q,
            .channels = p.K,
            .pixels = pixels,
            .grid_h = h.rows,
            .grid_w = w.rows,
            .step_h = 1,
            .step_w = 1,
            .start_h = h.shift,
            .start_w = w.shift,
            .depth = depth,
            .taps_w = w.taps,
            .direction = -1}},
          {.weights = p.w,
           .C = p.C,
           .RSC = p.RSC,
           .K = p.K,
           .taps_w = w.taps,
           .depth = depth,
           .first = (h.a * p.w_axis.taps + w.a) * p.C,
           .step_h = p.h.stride * p.w_axis.taps * p.C,
           .step_w = p.w_axis.stride * p.C},
          {.out = x,
           .columns = p.C,
           .rows = pixels,
           .H = p.h.extent,
           .W = p.w_axis.extent,
           .h = h,
           .w = w,
           .stride_h = p.h.stride,
           .stride_w = p.w_axis.stride}};
}

}  // namespace imago::kernels
