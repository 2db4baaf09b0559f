// Which taps of which windows lie on which pixels, along one axis. The functions are constexpr so
// that device code may call them; extents are below 2^29.
#pragma once

#include "kernels/divisor.h"
#include "kernels/pool/pool.h"

namespace imago::kernels {

struct PoolAxis {
  int in, out;  // pixels and windows
  int kernel, before;
  Divisor stride, dilation;

  // The pixel under a tap; outside [0, in) for padding.
  constexpr int pixel(int window, int tap) const {
    return window * stride.value - before + tap * dilation.value;
  }
  // Taps [first_tap, end_tap) of a window lie on pixels.
  constexpr int first_tap(int window) const {
    const int start = pixel(window, 0);
    return start >= 0 ? 0 : dilation.divide(-start + dilation.value - 1);
  }
  constexpr int end_tap(int window) const {
    const int left = in - pixel(window, 0);
    if (left <= 0) return 0;
    const int taps = dilation.divide(left + dilation.value - 1);
    return taps < kernel ? taps : kernel;
  }

  // Windows [first_window, end_window) reach over a pixel; dilated, it may lie between their taps.
  constexpr int first_window(int pixel) const {
    const int past = pixel + before - (kernel - 1) * dilation.value;
    return past <= 0 ? 0 : stride.divide(past + stride.value - 1);
  }
  constexpr int end_window(int pixel) const {
    const int last = stride.divide(pixel + before);
    return last < out ? last + 1 : out;
  }
  // The tap of such a window that lies on the pixel, or -1.
  constexpr int tap(int window, int pixel) const {
    const int offset = pixel + before - window * stride.value;
    const int tap = dilation.divide(offset);
    return tap * dilation.value == offset ? tap : -1;
  }
};

// A whole problem.
struct Pooling {
  std::int64_t N, C;
  PoolAxis rows, columns;
  bool count_include_pad;

  constexpr int taps() const { return rows.kernel * columns.kernel; }
  // How many pixels the mean of a window is over.
  constexpr int pixels(int p, int q) const {
    if (count_include_pad) return taps();
    return (rows.end_tap(p) - rows.first_tap(p)) * (columns.end_tap(q) - columns.first_tap(q));
  }
};

}  // namespace imago::kernels
