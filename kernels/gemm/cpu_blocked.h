// The two loop orders in which a matrix product is cut into register tiles (cpu_tile.h).
//
// multiply_strips: all of B is packed once and shared; threads take strips of A, which they pack as
// they go. For many rows: the forward pass and the input gradient of a convolution.
// multiply_panels: threads own columns of C; each packs a block of A, then panel after panel of B.
// For few rows: the weight gradient, whose depth is the pixels of the batch.
//
// Packing is left to a job, so that a convolution gathers its operands from the image and never
// makes the matrix of all patches. Every element of C is summed in blocks of tile_depth, in order,
// by one thread, and is the same whatever strip, panel or thread it falls to.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "kernels/gemm/cpu_tile.h"
#include "kernels/parallel.h"
#include "tensor/tensor.h"

namespace imago::kernels {

namespace blocked {

inline constexpr std::int64_t strips_per_chunk = 12;  // of 15 KB each: packed A stays in L2
inline constexpr std::int64_t rows_per_block = 512;   // of A in multiply_panels, also for L2
inline constexpr int widest_panel = 32;

inline Tensor scratch(std::int64_t threads, std::int64_t floats) {
  return Tensor::empty({threads, ceil_div(floats, 16) * 16}, DType::f32, Device::cpu());
}

// The columns [begin, begin + columns) that panel number `index` packs, padded to `width`.
struct Panel {
  std::int64_t begin, columns;
  int width;

  Panel(std::int64_t index, std::int64_t all_columns)
      : begin(index * tiles().panel()),
        columns(std::min<std::int64_t>(tiles().panel(), all_columns - begin)),
        width(columns > tiles().lanes ? tiles().panel() : tiles().lanes) {}

  static std::int64_t count(std::int64_t all_columns) {
    return ceil_div(all_columns, tiles().panel());
  }
};

// Rows are dealt to strips evenly, so that no strip is left with a few.
struct Strips {
  std::int64_t rows, count;

  explicit Strips(std::int64_t all_rows)
      : rows(all_rows), count(ceil_div(all_rows, tiles().rows)) {}
  std::int64_t begin(std::int64_t strip) const { return rows * strip / count; }
  int size(std::int64_t strip) const { return static_cast<int>(begin(strip + 1) - begin(strip)); }
};

using RowPointers = std::array<float*, max_tile_rows>;

// One tile of C at the columns of `panel`; `rows` point at column 0.
inline void run_tile(const Tile* by_rows, const float* a, const float* b, std::int64_t depth,
                     const RowPointers& rows, int count, const Panel& panel, bool add) {
  RowPointers at{};
  if (panel.columns == panel.width) {
    for (int i = 0; i < count; ++i) at[i] = rows[i] + panel.begin;
    by_rows[count](a, b, depth, at.data(), add);
    return;
  }
  alignas(64) float tile[max_tile_rows * widest_panel];
  for (int i = 0; i < count; ++i) at[i] = tile + i * panel.width;
  by_rows[count](a, b, depth, at.data(), false);
  for (int i = 0; i < count; ++i) {
    float* row = rows[i] + panel.begin;
    for (std::int64_t j = 0; j < panel.columns; ++j) row[j] = add ? row[j] + at[i][j] : at[i][j];
  }
}

// Packs columns of B; pack(k0, depth, j0, columns, dst, dst_row) writes the rows of a panel.
template <class Pack>
void pack_panel(const Panel& panel, std::int64_t k0, std::int64_t depth, float* dst, Pack&& pack) {
  if (panel.columns < panel.width) std::fill_n(dst, depth * panel.width, 0.0f);
  pack(k0, depth, panel.begin, panel.columns, dst, panel.width);
}

// A stretch of memory that packing will read.
struct Stretch {
  const float* begin = nullptr;
  const float* end = nullptr;
};

// Asks for a stretch little by little, so that it arrives from memory while tiles are computed.
class Prefetcher {
 public:
  Prefetcher(Stretch stretch, std::int64_t steps)
      : at_(stretch.begin),
        end_(stretch.end),
        per_step_(ceil_div(stretch.end - stretch.begin, std::max<std::int64_t>(steps, 1))) {}
  void step() {
    const float* stop = at_ + std::min<std::int64_t>(per_step_, end_ - at_);
    for (; at_ < stop; at_ += std::min<std::int64_t>(line, end_ - at_))
      __builtin_prefetch(at_, 0, 2);
  }

 private:
  static constexpr std::int64_t line = 16;
  const float* at_;
  const float* end_;
  std::int64_t per_step_;
};

}  // namespace blocked

// B (depth, columns), packed: blocks of tile_depth rows, each a row of panels.
class PackedPanels {
 public:
  // pack(k0, depth, j0, columns, dst, dst_row): dst[k * dst_row + j] = B[k0 + k][j0 + j].
  template <class Pack>
  PackedPanels(std::int64_t depth, std::int64_t columns, Pack&& pack)
      : columns_(ceil_div(columns, tiles().lanes) * tiles().lanes),
        packed_(blocked::scratch(1, depth * columns_)) {
    float* data = packed_.mutable_data<float>();
    data_ = data;
    parallel_for(blocked::Panel::count(columns), [&](std::int64_t index) {
      const blocked::Panel panel(index, columns);
      for (std::int64_t k0 = 0; k0 < depth; k0 += tile_depth) {
        const std::int64_t rows = std::min(tile_depth, depth - k0);
        blocked::pack_panel(panel, k0, rows, data + k0 * columns_ + panel.begin * rows, pack);
      }
    });
  }

  // The rows [k0, k0 + depth) of a panel.
  const float* at(std::int64_t k0, std::int64_t depth, const blocked::Panel& panel) const {
    return data_ + k0 * columns_ + panel.begin * depth;
  }

 private:
  std::int64_t columns_;
  Tensor packed_;
  const float* data_;
};

// A job of multiply_strips has
//     std::int64_t rows() const, depth() const;
//     const PackedPanels& panels() const;
//     void pack(m0, rows, k0, depth, dst) const: dst[i * strip_row + k] = A[m0 + i][k0 + k]
//     void rows_of(m0, rows, float** at) const: where the rows of C lie
//     Stretch source(m0, rows) const: the memory that pack reads for these rows, roughly
// Several jobs with the same columns run interleaved, as the phases of a transposed convolution do
// to share the pixels they read.
template <class Job>
void multiply_strips(const std::vector<Job>& jobs, std::int64_t columns) {
  using namespace blocked;
  const Tiles& table = tiles();
  std::int64_t most = 0;
  for (const Job& job : jobs) most = std::max(most, Strips(job.rows()).count);
  const int threads = num_threads();
  // Chunks are of equal size; a number that the threads divide leaves none of them idle at the end.
  // Even a small product has a few for each thread, so that there is something to ask for ahead.
  const std::int64_t wanted =
      std::max(ceil_div(most, strips_per_chunk), std::min<std::int64_t>(most, 4 * threads));
  const std::int64_t chunks = ceil_div(wanted, threads) * threads;
  Tensor memory = scratch(threads, strips_per_chunk * max_tile_rows * strip_row);
  float* const base = memory.mutable_data<float>();
  std::atomic<std::int64_t> next{0};
  std::int64_t tiles_per_chunk = 0;
  for (const Job& job : jobs) {
    tiles_per_chunk += Strips(job.rows()).count / chunks * Panel::count(columns) *
                       ceil_div(job.depth(), tile_depth);
  }

  const auto run = [&](const Job& job, std::int64_t chunk, float* packed, Prefetcher& ahead) {
    const Strips strips(job.rows());
    const std::int64_t first = strips.count * chunk / chunks;
    const std::int64_t last = strips.count * (chunk + 1) / chunks;
    std::array<RowPointers, strips_per_chunk> rows{};
    for (std::int64_t s = first; s < last; ++s) {
      job.rows_of(strips.begin(s), strips.size(s), rows[s - first].data());
    }
    for (std::int64_t k0 = 0; k0 < job.depth(); k0 += tile_depth) {
      const std::int64_t depth = std::min(tile_depth, job.depth() - k0);
      const auto strip_at = [&](std::int64_t s) {
        return packed + (s - first) * max_tile_rows * strip_row;
      };
      for (std::int64_t s = first; s < last; ++s) {
        job.pack(strips.begin(s), strips.size(s), k0, depth, strip_at(s));
      }
      for (std::int64_t index = 0; index < Panel::count(columns); ++index) {
        const Panel panel(index, columns);
        const float* b = job.panels().at(k0, depth, panel);
        const Tile* by_rows = table.row_major[panel.width / table.lanes];
        for (std::int64_t s = first; s < last; ++s) {
          ahead.step();
          run_tile(by_rows, strip_at(s), b, depth, rows[s - first], strips.size(s), panel, k0 > 0);
        }
      }
    }
  };

  parallel_for(threads, [&](std::int64_t part) {
    float* packed = base + part * memory.size(1);
    std::int64_t chunk = next.fetch_add(1, std::memory_order_relaxed);
    while (chunk < chunks) {
      const std::int64_t following = next.fetch_add(1, std::memory_order_relaxed);
      Stretch source;
      if (following < chunks) {
        const Strips strips(jobs[0].rows());
        const std::int64_t begin = strips.begin(strips.count * following / chunks);
        const std::int64_t end = strips.begin(strips.count * (following + 1) / chunks);
        if (begin < end) source = jobs[0].source(begin, end - begin);
      }
      Prefetcher ahead(source, tiles_per_chunk);
      for (const Job& job : jobs) run(job, chunk, packed, ahead);
      chunk = following;
    }
  });
}

// A job of multiply_panels has
//     void begin(k0, depth): called before the packing of these rows of B and columns of A
//     void pack_a(begins, strips, dst): strip s at dst + (begins[s] - begins[0]) * tile_depth,
//         its element [k * rows + i] = A[begins[s] + i][k0 + k], rows = begins[s + 1] - begins[s]
//     void pack_b(j0, columns, dst, dst_row): dst[k * dst_row + j] = B[k0 + k][j0 + j]
//     Stretch source_b(k0, depth): the memory that pack_b reads for these rows, roughly
// and is copied for each thread. This is the work of one thread: C[0, rows) x panels
// [first, last) of a matrix of `columns` columns, over depth [k_begin, k_end); c (rows, columns).
template <class Job>
void multiply_panels_range(Job job, std::int64_t rows, std::int64_t columns, std::int64_t first,
                           std::int64_t last, std::int64_t k_begin, std::int64_t k_end, float* c,
                           float* memory) {
  using namespace blocked;
  const Tiles& table = tiles();
  float* const packed_a = memory;
  float* const packed_b = memory + rows_per_block * tile_depth;
  std::array<std::int64_t, rows_per_block + 1> begins;
  for (std::int64_t m0 = 0; m0 < rows; m0 += rows_per_block) {
    const Strips strips(std::min(rows_per_block, rows - m0));
    for (std::int64_t s = 0; s <= strips.count; ++s) begins[s] = m0 + strips.begin(s);
    for (std::int64_t k0 = k_begin; k0 < k_end; k0 += tile_depth) {
      const std::int64_t depth = std::min(tile_depth, k_end - k0);
      job.begin(k0, depth);
      job.pack_a(begins.data(), strips.count, packed_a);
      const std::int64_t following = k0 + depth;
      Prefetcher ahead(following < k_end
                           ? job.source_b(following, std::min(tile_depth, k_end - following))
                           : Stretch{},
                       strips.count * (last - first));
      for (std::int64_t index = first; index < last; ++index) {
        const Panel panel(index, columns);
        pack_panel(panel, k0, depth, packed_b,
                   [&](std::int64_t, std::int64_t, std::int64_t j0, std::int64_t count, float* dst,
                       std::int64_t dst_row) { job.pack_b(j0, count, dst, dst_row); });
        const Tile* by_rows = table.column_major[panel.width / table.lanes];
        for (std::int64_t s = 0; s < strips.count; ++s) {
          RowPointers at{};
          for (int i = 0; i < strips.size(s); ++i) at[i] = c + (m0 + strips.begin(s) + i) * columns;
          ahead.step();
          run_tile(by_rows, packed_a + strips.begin(s) * tile_depth, packed_b, depth, at,
                   strips.size(s), panel, k0 > k_begin);
        }
      }
    }
  }
}

inline Tensor panels_scratch(std::int64_t threads) {
  return blocked::scratch(threads, (blocked::rows_per_block + blocked::widest_panel) * tile_depth);
}

template <class Job>
void multiply_panels(const Job& job, std::int64_t rows, std::int64_t columns, std::int64_t depth,
                     float* c) {
  const std::int64_t panels = blocked::Panel::count(columns);
  const std::int64_t parts = std::min<std::int64_t>(num_threads(), panels);
  Tensor memory = panels_scratch(parts);
  float* const base = memory.mutable_data<float>();
  parallel_for(parts, [&](std::int64_t part) {
    multiply_panels_range(job, rows, columns, panels * part / parts, panels * (part + 1) / parts, 0,
                          depth, c, base + part * memory.size(1));
  });
}

}  // namespace imago::kernels
