// The forward pass as a matrix product: rows are output pixels, columns output channels, the depth
// runs over the window (r, s, c) of a pixel. The windows are gathered strip by strip.
#include "kernels/conv2d/cpu_direct.h"
#include "kernels/gemm/cpu_blocked.h"

namespace imago::kernels {

namespace {

struct Job {
  const Conv2dProblem& problem;
  WindowShape shape;
  const float* x;
  const PackedPanels& weights;
  float* y;

  std::int64_t rows() const { return problem.N * problem.P * problem.Q; }
  std::int64_t depth() const { return shape.depth(); }
  const PackedPanels& panels() const { return weights; }
  void pack(std::int64_t m0, int count, std::int64_t k0, std::int64_t depth, float* dst) const {
    Window windows[max_tile_rows];
    input_windows(problem, shape, x, m0, count, windows);
    gather_windows(shape, windows, count, k0, depth, dst, strip_row);
  }
  void rows_of(std::int64_t m0, int count, float** at) const {
    for (int i = 0; i < count; ++i) at[i] = y + (m0 + i) * problem.K;
  }
  blocked::Stretch source(std::int64_t m0, std::int64_t count) const {
    Window first, last;
    input_windows(problem, shape, x, m0, 1, &first);
    input_windows(problem, shape, x, m0 + count - 1, 1, &last);
    return window_stretch(shape, first, last);
  }
};

}  // namespace

// x (N, H, W, C), w (K, R, S, C), out (N, P, Q, K)
void conv2d_direct(const Conv2dProblem& d, const Tensor& x, const Tensor& w, Tensor& out) {
  if (is_matrix_product(d)) {
    Tensor y = out.reshape({d.N, d.K});
    gemm_direct(x.reshape({d.N, -1}), w.reshape({d.K, -1}), Transpose::no, Transpose::yes, y);
    return;
  }
  const WindowShape shape{d.H, d.W, d.C, d.R, d.S};
  const float* filters = w.data<float>();
  const PackedPanels panels(shape.depth(), d.K,
                            [&](std::int64_t k0, std::int64_t depth, std::int64_t j0,
                                std::int64_t columns, float* dst, std::int64_t dst_row) {
                              transpose_matrix(filters + j0 * shape.depth() + k0, shape.depth(),
                                               columns, depth, dst, dst_row);
                            });
  multiply_strips(std::vector<Job>{{d, shape, x.data<float>(), panels, out.mutable_data<float>()}},
                  d.K);
}

}  // namespace imago::kernels
