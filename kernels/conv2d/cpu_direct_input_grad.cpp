// The input gradient, or transposed convolution, by phases.
//
// Row h of the result meets tap r in output row p = (h + pad - r) / stride, if that is whole. So
// the rows h = a + stride * i of one phase a all use the same taps r = r0 + stride * j, and see the
// output rows p = i + base - j: a convolution of stride 1 over y with a part of the kernel, turned
// round. The phases together cost what the forward pass costs; no zeros are inserted.
#include <deque>

#include "kernels/conv2d/cpu_direct.h"
#include "kernels/conv2d/cpu_thin.h"
#include "kernels/gemm/cpu_blocked.h"

namespace imago::kernels {

namespace {

// The rows (or columns) of one phase.
struct Phase {
  std::int64_t first;     // of its rows
  std::int64_t extent;    // how many
  std::int64_t taps;      // how many; tap j, from the one that sees the uppermost row of y, is
  std::int64_t last_tap;  // r = last_tap - stride * j
  std::int64_t origin;    // row i sees rows i + origin + j of y

  std::int64_t stride;

  Phase(std::int64_t phase, std::int64_t in, std::int64_t kernel, int stride_, int pad)
      : first(phase), extent(ceil_div(in - phase, stride_)), stride(stride_) {
    const std::int64_t r0 = (phase + pad) % stride;
    taps = r0 < kernel ? ceil_div(kernel - r0, stride) : 0;
    last_tap = r0 + stride * (taps - 1);
    origin = (phase + pad - r0) / stride - (taps - 1);
  }
  std::int64_t row(std::int64_t i) const { return first + stride * i; }
  std::int64_t tap(std::int64_t j) const { return last_tap - stride * j; }
};

struct Job {
  const Conv2dProblem& problem;
  Phase vertical, horizontal;
  WindowShape shape;
  const float* y;
  const PackedPanels& weights;
  float* x;

  std::int64_t rows() const { return problem.N * vertical.extent * horizontal.extent; }
  std::int64_t depth() const { return shape.depth(); }
  const PackedPanels& panels() const { return weights; }
  // The windows of y that pixels [m0, m0 + count) of this phase see.
  void output_windows(std::int64_t m0, std::int64_t count, Window* windows) const {
    const std::int64_t image = problem.P * problem.Q * problem.K;
    PixelWalk at(vertical.extent, horizontal.extent, m0);
    for (std::int64_t i = 0; i < count; ++i, at.next()) {
      windows[i] =
          Window(shape, y + at.n * image, at.i + vertical.origin, at.j + horizontal.origin);
    }
  }
  void pack(std::int64_t m0, int count, std::int64_t k0, std::int64_t depth, float* dst) const {
    Window windows[max_tile_rows];
    output_windows(m0, count, windows);
    gather_windows(shape, windows, count, k0, depth, dst, strip_row);
  }
  blocked::Stretch source(std::int64_t m0, std::int64_t count) const {
    Window first, last;
    output_windows(m0, 1, &first);
    output_windows(m0 + count - 1, 1, &last);
    return window_stretch(shape, first, last);
  }
  void rows_of(std::int64_t m0, int count, float** to) const {
    const Conv2dProblem& d = problem;
    PixelWalk at(vertical.extent, horizontal.extent, m0);
    for (int i = 0; i < count; ++i, at.next()) {
      to[i] = x + ((at.n * d.H + vertical.row(at.i)) * d.W + horizontal.row(at.j)) * d.C;
    }
  }
};

// The part of w (K, R, S, C) that a phase uses, as a matrix (taps of the window of y, C).
PackedPanels pack_weights(const Conv2dProblem& d, const Phase& vertical, const Phase& horizontal,
                          const float* w) {
  const std::int64_t filter = d.R * d.S * d.C;
  return PackedPanels(vertical.taps * horizontal.taps * d.K, d.C,
                      [&](std::int64_t k0, std::int64_t depth, std::int64_t j0,
                          std::int64_t columns, float* dst, std::int64_t dst_row) {
                        for (std::int64_t k = k0; k < k0 + depth;) {
                          const std::int64_t tap = k / d.K, filter0 = k % d.K;
                          const std::int64_t count = std::min(d.K - filter0, k0 + depth - k);
                          const std::int64_t r = vertical.tap(tap / horizontal.taps);
                          const std::int64_t s = horizontal.tap(tap % horizontal.taps);
                          copy_matrix(w + filter0 * filter + (r * d.S + s) * d.C + j0, filter,
                                      count, columns, dst + (k - k0) * dst_row, dst_row);
                          k += count;
                        }
                      });
}

// The same weights in the order (K, taps of the window of y, C), for thin convolutions.
Tensor thin_weights(const Conv2dProblem& d, const Phase& vertical, const Phase& horizontal,
                    const float* w) {
  Tensor packed = blocked::scratch(1, d.K * vertical.taps * horizontal.taps * d.C);
  float* to = packed.mutable_data<float>();
  for (std::int64_t k = 0; k < d.K; ++k) {
    for (std::int64_t i = 0; i < vertical.taps; ++i) {
      for (std::int64_t j = 0; j < horizontal.taps; ++j) {
        const std::int64_t r = vertical.tap(i), s = horizontal.tap(j);
        to = std::copy_n(w + ((k * d.R + r) * d.S + s) * d.C, d.C, to);
      }
    }
  }
  return packed;
}

}  // namespace

// y (N, P, Q, K), w (K, R, S, C), out (N, H, W, C)
void conv2d_input_grad_direct(const Conv2dProblem& d, const Tensor& y, const Tensor& w,
                              Tensor& out) {
  if (is_matrix_product(d)) {
    Tensor x = out.reshape({d.N, -1});
    gemm_direct(y.reshape({d.N, d.K}), w.reshape({d.K, -1}), Transpose::no, Transpose::no, x);
    return;
  }
  float* x = out.mutable_data<float>();
  const bool thin = d.C <= thin_channels;
  std::deque<PackedPanels> panels;  // jobs refer to them: they must not move
  std::vector<Job> jobs;
  std::vector<Tensor> packed;
  std::vector<ThinPhase> phases;
  bool all = true;
  for (std::int64_t a = 0; a < std::min<std::int64_t>(d.params.stride_h, d.H); ++a) {
    const Phase vertical(a, d.H, d.R, d.params.stride_h, d.params.pad.top);
    for (std::int64_t b = 0; b < std::min<std::int64_t>(d.params.stride_w, d.W); ++b) {
      const Phase horizontal(b, d.W, d.S, d.params.stride_w, d.params.pad.left);
      if (vertical.taps == 0 || horizontal.taps == 0) {
        all = false;  // no window reached these pixels
      } else if (thin) {
        packed.push_back(thin_weights(d, vertical, horizontal, w.data<float>()));
        phases.push_back({vertical.extent, horizontal.extent, vertical.taps, horizontal.taps,
                          vertical.origin, horizontal.origin, packed.back().data<float>(),
                          x + (a * d.W + b) * d.C, vertical.stride * d.W * d.C,
                          horizontal.stride * d.C});
      } else {
        panels.push_back(pack_weights(d, vertical, horizontal, w.data<float>()));
        jobs.push_back({d,
                        vertical,
                        horizontal,
                        {d.P, d.Q, d.K, vertical.taps, horizontal.taps},
                        y.data<float>(),
                        panels.back(),
                        x});
      }
    }
  }
  if (!all) {
    parallel_ranges(out.numel(), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
      std::fill(x + begin, x + end, 0.0f);
    });
  }
  if (thin) {
    convolve_thin({d.N, d.P, d.Q, d.K, d.C, d.H * d.W * d.C}, y.data<float>(), phases);
  } else {
    multiply_strips(jobs, d.C);
  }
}

}  // namespace imago::kernels
