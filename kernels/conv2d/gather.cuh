// Convolutions as products: the operands of the three passes for the tile loops in kernels/gemm.
//
// All three passes visit an image at  (row, column) = start of a pixel's window + offset of a tap.
//
//   pass          image   pixel m (n, i, j) starts at         tap k (r, s, c) adds
//   forward       x       i * stride_h - top, ...             + r, + s, channel c
//   weight_grad   x       the same; m and k change places
//   input_grad    y       i + shift_h, j + shift_w            - r, - s, channel c; one phase
//
// A Gather turns a pixel or a tap into a Place: an offset in memory and a row and column to compare
// with the image's edge. A pixel's place and a tap's place are found apart from each other, once
// for a row of the product and once for a step along it; an element then costs three additions, two
// comparisons and its load. Pixels outside the image are 0: im2col without im2col.
#pragma once

#include "kernels/conv2d/conv2d.h"
#include "kernels/gemm/operands.cuh"

namespace imago::kernels {

// Where a pixel's window or a tap lies. Offsets of a pixel and a tap add up, and so do rows and
// columns. Past the end, rows are so far off that no sum comes near an image.
struct Place {
  int offset, row, column;
};
inline constexpr int no_pixel = -(1 << 30), no_tap = 1 << 29;

template <class T>
struct Gather {
  const T* image;  // (images, rows, columns, channels)
  int rows, columns;
  Divisor channels;
  int pixels;              // of all images together
  Divisor grid_h, grid_w;  // pixels are (image, i < grid_h, j < grid_w)
  int step_h, step_w;      // pixel (i, j) starts at row i * step_h + start_h
  int start_h, start_w;
  int depth;  // taps_h * taps_w * channels
  Divisor taps_w;
  int direction;  // + 1: taps reach forwards; - 1: backwards

  __device__ Place pixel(int m) const {
    if (m >= pixels) return {0, no_pixel, 0};
    const int row = grid_w.divide(m), j = m - row * grid_w.value;
    const int n = grid_h.divide(row), i = row - n * grid_h.value;
    const int h = i * step_h + start_h, w = j * step_w + start_w;
    return {((n * rows + h) * columns + w) * channels.value, h, w};
  }
  __device__ Place tap(int k) const {
    if (k >= depth) return {0, no_tap, 0};
    const int at = channels.divide(k), c = k - at * channels.value;
    const int r = taps_w.divide(at), s = at - r * taps_w.value;
    return {direction * (r * columns + s) * channels.value + c, direction * r, direction * s};
  }
  template <int lanes>
  __device__ Lanes<T, lanes> load(const Place& a, const Place& b) const {
    const auto row = static_cast<unsigned>(a.row + b.row);
    const auto column = static_cast<unsigned>(a.column + b.column);
    if (row >= static_cast<unsigned>(rows) || column >= static_cast<unsigned>(columns)) return {};
    return load_as<Lanes<T, lanes>>(image + (a.offset + b.offset));
  }
};

// Row m of the product is a pixel, depth k a tap: forward and input gradient.
template <class T, int lanes_>
struct PixelRows {
  using Element = T;
  static constexpr int lanes = lanes_;
  static constexpr bool along_k = true;

  Gather<T> gather;

  __device__ Place outer(int m) const { return gather.pixel(m); }
  __device__ Place inner(int k) const { return gather.tap(k); }
  __device__ Lanes<T, lanes> load(const Place& m, const Place& k) const {
    return gather.template load<lanes>(m, k);
  }
};

// Column n of the product is a tap, depth k a pixel: weight gradient.
template <class T, int lanes_>
struct TapColumns {
  using Element = T;
  static constexpr int lanes = lanes_;
  static constexpr bool along_k = false;

  Gather<T> gather;

  __device__ Place outer(int n) const { return gather.tap(n); }
  __device__ Place inner(int k) const { return gather.pixel(k); }
  __device__ Lanes<T, lanes> load(const Place& n, const Place& k) const {
    return gather.template load<lanes>(n, k);
  }
};

// The windows that a convolution of x (N, H, W, C) sees; problem.params has no groups or dilation.
template <class T>
Gather<T> windows_of(const Conv2dProblem& p, const Tensor& x) {
  const auto narrow = [](std::int64_t extent) { return static_cast<int>(extent); };
  return {.image = x.device_data<T>(),
          .rows = narrow(p.H),
          .columns = narrow(p.W),
          .channels = Divisor(p.C),
          .pixels = narrow(p.N * p.P * p.Q),
          .grid_h = Divisor(p.P),
          .grid_w = Divisor(p.Q),
          .step_h = p.params.stride_h,
          .step_w = p.params.stride_w,
          .start_h = -p.params.pad.top,
          .start_w = -p.params.pad.left,
          .depth = narrow(p.R * p.S * p.C),
          .taps_w = Divisor(p.S),
          .direction = 1};
}

}  // namespace imago::kernels
