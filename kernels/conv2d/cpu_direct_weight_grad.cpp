// The weight gradient as a matrix product: rows are output channels, columns the window (r, s, c),
// the depth runs over the output pixels of the batch.
#include "kernels/conv2d/cpu_direct.h"
#include "kernels/gemm/cpu_blocked.h"

namespace imago::kernels {

namespace {

struct Job {
  const Conv2dProblem& problem;
  WindowShape shape;
  const float* x;
  const float* y;
  std::int64_t k0 = 0, depth = 0;
  std::array<Window, tile_depth> windows = {};

  void begin(std::int64_t new_k0, std::int64_t new_depth) {
    k0 = new_k0, depth = new_depth;
    input_windows(problem, shape, x, k0, depth, windows.data());
  }
  void pack_a(const std::int64_t* begins, std::int64_t strips, float* dst) const {
    deal_columns(y + k0 * problem.K + begins[0], problem.K, depth, begins, strips, dst);
  }
  void pack_b(std::int64_t j0, std::int64_t columns, float* dst, std::int64_t dst_row) const {
    gather_windows(shape, windows.data(), depth, j0, columns, dst, dst_row);
  }
  blocked::Stretch source_b(std::int64_t first_pixel, std::int64_t count) const {
    Window first, last;
    input_windows(problem, shape, x, first_pixel, 1, &first);
    input_windows(problem, shape, x, first_pixel + count - 1, 1, &last);
    return window_stretch(shape, first, last);
  }
};

// Into how many parts to cut the pixels. A large gradient is split over its columns instead; a
// small one has too few, and then the parts have a gradient each. Depends on the problem only.
std::int64_t split_count(const Conv2dProblem& d) {
  constexpr std::int64_t small = 1 << 16, most = 16;
  if (d.K * d.R * d.S * d.C > small) return 1;
  return std::clamp<std::int64_t>(d.N * d.P * d.Q / (4 * tile_depth), 1, most);
}

}  // namespace

// x (N, H, W, C), y (N, P, Q, K), out (K, R, S, C)
void conv2d_weight_grad_direct(const Conv2dProblem& d, const Tensor& x, const Tensor& y,
                               Tensor& out) {
  if (is_matrix_product(d)) {
    Tensor w = out.reshape({d.K, -1});
    gemm_direct(y.reshape({d.N, d.K}), x.reshape({d.N, -1}), Transpose::yes, Transpose::no, w);
    return;
  }
  const Job job{d, {d.H, d.W, d.C, d.R, d.S}, x.data<float>(), y.data<float>()};
  const std::int64_t columns = d.R * d.S * d.C, pixels = d.N * d.P * d.Q;
  const std::int64_t parts = split_count(d);
  float* w = out.mutable_data<float>();
  if (parts == 1) {
    multiply_panels(job, d.K, columns, pixels, w);
    return;
  }
  Tensor partial = blocked::scratch(parts, out.numel());
  Tensor memory = panels_scratch(parts);
  float* const sums = partial.mutable_data<float>();
  float* const base = memory.mutable_data<float>();
  parallel_for(parts, [&](std::int64_t part) {
    multiply_panels_range(job, d.K, columns, 0, blocked::Panel::count(columns),
                          pixels * part / parts, pixels * (part + 1) / parts,
                          sums + part * partial.size(1), base + part * memory.size(1));
  });
  parallel_ranges(out.numel(), 4096, [&](std::int64_t begin, std::int64_t end) {
    std::copy(sums + begin, sums + end, w + begin);
    for (std::int64_t part = 1; part < parts; ++part) {
      const float* more = sums + part * partial.size(1);
      for (std::int64_t i = begin; i < end; ++i) w[i] += more[i];
    }
  });
}

}  // namespace imago::kernels
