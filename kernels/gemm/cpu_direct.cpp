// gemm in f32 by register tiles. A batch of small matrices is dealt to the threads matrix by
// matrix; they share the work inside of large ones.
#include "kernels/gemm/cpu_blocked.h"
#include "kernels/gemm/engines.h"

namespace imago::kernels {

namespace {

// op(m)[i, j] = data[i * row + j], or data[j * row + i] when transposed.
struct View {
  const float* data;
  std::int64_t row;
  bool transposed;

  View(const Tensor& m, Transpose trans)
      : data(m.data<float>()), row(m.size(-1)), transposed(trans == Transpose::yes) {}

  // dst[i * dst_row + j] = op(m)[i0 + i, j0 + j]
  void copy(std::int64_t i0, std::int64_t rows, std::int64_t j0, std::int64_t columns, float* dst,
            std::int64_t dst_row) const {
    if (transposed) {
      transpose_matrix(data + j0 * row + i0, row, columns, rows, dst, dst_row);
    } else {
      copy_matrix(data + i0 * row + j0, row, rows, columns, dst, dst_row);
    }
  }
};

struct StripsJob {
  View a;
  const PackedPanels& b;
  float* c;
  std::int64_t m, n, k;

  std::int64_t rows() const { return m; }
  std::int64_t depth() const { return k; }
  const PackedPanels& panels() const { return b; }
  void pack(std::int64_t m0, int count, std::int64_t k0, std::int64_t depth, float* dst) const {
    a.copy(m0, count, k0, depth, dst, strip_row);
  }
  void rows_of(std::int64_t m0, int count, float** at) const {
    for (int i = 0; i < count; ++i) at[i] = c + (m0 + i) * n;
  }
  blocked::Stretch source(std::int64_t m0, std::int64_t count) const {
    if (a.transposed) return {};
    return {a.data + m0 * a.row, a.data + (m0 + count) * a.row};
  }
};

struct PanelsJob {
  View a, b;
  std::int64_t k0 = 0, depth = 0;

  void begin(std::int64_t new_k0, std::int64_t new_depth) { k0 = new_k0, depth = new_depth; }
  void pack_a(const std::int64_t* begins, std::int64_t strips, float* dst) const {
    if (a.transposed) {
      deal_columns(a.data + k0 * a.row + begins[0], a.row, depth, begins, strips, dst);
      return;
    }
    for (std::int64_t s = 0; s < strips; ++s) {
      const std::int64_t rows = begins[s + 1] - begins[s];
      transpose_matrix(a.data + begins[s] * a.row + k0, a.row, rows, depth,
                       dst + (begins[s] - begins[0]) * tile_depth, rows);
    }
  }
  void pack_b(std::int64_t j0, std::int64_t columns, float* dst, std::int64_t dst_row) const {
    b.copy(k0, depth, j0, columns, dst, dst_row);
  }
  // Threads read different columns: there is no one stretch.
  blocked::Stretch source_b(std::int64_t, std::int64_t) const { return {}; }
};

// left (M, K), right (K, N), out (M, N)
void product(const View& left, const View& right, std::int64_t m, std::int64_t n, std::int64_t k,
             float* out) {
  if (m < n) {
    multiply_panels(PanelsJob{left, right}, m, n, k, out);
    return;
  }
  const PackedPanels panels(
      k, n,
      [&](std::int64_t k0, std::int64_t depth, std::int64_t j0, std::int64_t columns, float* dst,
          std::int64_t dst_row) { right.copy(k0, depth, j0, columns, dst, dst_row); });
  multiply_strips(std::vector<StripsJob>{{left, panels, out, m, n, k}}, n);
}

}  // namespace

// op(a) (M, K), op(b) (K, N), c (M, N), or batches of them
void gemm_direct(const Tensor& a, const Tensor& b, Transpose trans_a, Transpose trans_b,
                 Tensor& c) {
  const View left(a, trans_a), right(b, trans_b);
  const std::int64_t m = c.size(-2), n = c.size(-1), k = a.size(left.transposed ? -2 : -1);
  const std::int64_t batches = c.dim() == 3 ? c.size(0) : 1;
  const std::int64_t step_a = batch_step(a), step_b = batch_step(b);
  float* out = c.mutable_data<float>();
  const auto one = [&](std::int64_t batch) {
    View at_a = left, at_b = right;
    at_a.data += batch * step_a;
    at_b.data += batch * step_b;
    product(at_a, at_b, m, n, k, out + batch * m * n);
  };
  constexpr std::int64_t small = 96 * 96 * 96;  // too little to share within a product
  const std::int64_t threads = std::min<std::int64_t>(num_threads(), batches);
  if (threads == 1 || (batches < 4 * threads && m * n * k > small)) {
    for (std::int64_t batch = 0; batch < batches; ++batch) one(batch);
    return;
  }
  parallel_for(threads, [&](std::int64_t part) {
    const ContextScope scope;
    Context::current().threads = 1;
    const std::int64_t end = batches * (part + 1) / threads;
    for (std::int64_t batch = batches * part / threads; batch < end; ++batch) one(batch);
  });
}

}  // namespace imago::kernels
