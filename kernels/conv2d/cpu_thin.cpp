#include "kernels/conv2d/cpu_thin.h"

#include <algorithm>

#include "kernels/gemm/cpu_tile.h"
#include "kernels/parallel.h"
#include "kernels/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv2d/cpu_thin.cpp"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

#ifndef IMAGO_KERNELS_CONV2D_CPU_THIN_ONCE
#define IMAGO_KERNELS_CONV2D_CPU_THIN_ONCE
namespace imago::kernels::thin {

// A tile holds `vectors` vectors of pixels for each output channel.
inline constexpr int most_vectors = 8;
// Channels of a slab: the rows under a tile fit L1 and are used by every tap and phase.
inline constexpr std::int64_t slab_channels = 32;

// What a tile of one phase does with one slab of channels.
struct Tile {
  const float* planes;                 // at channel 0 of the slab
  std::int64_t plane;                  // floats from one channel to the next
  std::int64_t plane_row;              // floats from one row to the next
  std::int64_t offsets[most_vectors];  // of the first window of each vector in a plane
  std::int64_t channels, kernel_h, kernel_w;
  const float* weights;  // at channel 0 of the slab
  float* sums;           // (output channels, most_vectors, lanes), added to
};

using TileFunction = void (*)(const Tile&);
struct Table {
  int lanes;
  int vectors[thin_channels + 1];
  TileFunction tiles[thin_channels + 1];
};

}  // namespace imago::kernels::thin
#endif

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::thin {
namespace HWY_NAMESPACE {
namespace {

// Sums, one input vector and a weight for each output channel must fit the register file.
constexpr int registers = HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON ? 32 : 16;
constexpr int vectors_for(int outputs) {
  const int fit = (registers - 2 - outputs) / outputs;
  return fit < most_vectors ? fit : most_vectors;
}

// Keeps a loaded vector in its register. GCC would rather load it again for each multiply-add, and
// loads that are not aligned are what limits the tile.
template <class V>
HWY_INLINE void keep_in_register([[maybe_unused]] V& v) {
#if HWY_COMPILER_GCC && HWY_TARGET <= HWY_AVX3
  asm("" : "+v"(v.raw));
#elif HWY_COMPILER_GCC && HWY_ARCH_X86 && HWY_TARGET <= HWY_SSE4
  asm("" : "+x"(v.raw));
#endif
}

template <int outputs>
void run_tile(const Tile& t) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<float> d;
  constexpr int lanes = HWY_LANES(float);
  constexpr int vectors = vectors_for(outputs);
  hn::Vec<decltype(d)> sums[outputs][vectors];
#pragma GCC unroll 4
  for (int c = 0; c < outputs; ++c) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      sums[c][v] = hn::LoadU(d, t.sums + (c * most_vectors + v) * lanes);
    }
  }
  std::int64_t offsets[vectors];
  for (int v = 0; v < vectors; ++v) offsets[v] = t.offsets[v];
  const float* w = t.weights;
  for (std::int64_t k = 0; k < t.channels; ++k) {
    for (std::int64_t r = 0; r < t.kernel_h; ++r) {
      const float* pixels = t.planes + k * t.plane + r * t.plane_row;
      for (std::int64_t s = 0; s < t.kernel_w; ++s, ++pixels, w += outputs) {
        hn::Vec<decltype(d)> weight[outputs];
#pragma GCC unroll 4
        for (int c = 0; c < outputs; ++c) weight[c] = hn::Set(d, w[c]);
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) {
          auto pixel = hn::LoadU(d, pixels + offsets[v]);
          keep_in_register(pixel);
#pragma GCC unroll 4
          for (int c = 0; c < outputs; ++c) {
            sums[c][v] = hn::MulAdd(weight[c], pixel, sums[c][v]);
          }
        }
      }
    }
  }
#pragma GCC unroll 4
  for (int c = 0; c < outputs; ++c) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      hn::StoreU(sums[c][v], d, t.sums + (c * most_vectors + v) * lanes);
    }
  }
}

Table make_table() {
  return {HWY_LANES(float),
          {0, vectors_for(1), vectors_for(2), vectors_for(3), vectors_for(4)},
          {nullptr, run_tile<1>, run_tile<2>, run_tile<3>, run_tile<4>}};
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace imago::kernels::thin
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

namespace thin {

HWY_EXPORT(make_table);

namespace {

const Table& table() {
  static const Table chosen = HWY_DYNAMIC_DISPATCH(make_table)();
  return chosen;
}

// Rows [top, top + rows) of an image as planes (row, channel, column), with a border of zeros:
// column 0 of a plane is column `left` of the image.
struct Planes {
  std::int64_t top, left, rows, columns;  // columns: of a plane, with the border
  float* data;

  void fill(const ThinProblem& p, const float* image) const {
    const std::int64_t first = std::max<std::int64_t>(0, left);
    const std::int64_t last = std::min(p.columns, left + columns);
    for (std::int64_t i = 0; i < rows; ++i) {
      float* row = data + i * p.channels * columns;
      std::fill_n(row, p.channels * columns, 0.0f);
      if (top + i < 0 || top + i >= p.rows || first >= last) continue;
      const float* pixels = image + (top + i) * p.columns * p.channels;
      for (std::int64_t j = first; j < last; j += 8) {
        // The pixels of the rows below, which come from far away, are asked for in time.
        for (std::int64_t c = 0; c < 8 * p.channels; c += 16) {
          __builtin_prefetch(pixels + (j + 32) * p.channels + c);
        }
        transpose_matrix(pixels + j * p.channels, p.channels, std::min<std::int64_t>(8, last - j),
                         p.channels, row + (j - left), columns);
      }
    }
  }
};

// Rows [begin, end) of a phase, from planes that hold all the rows they see.
void run_phase(const ThinProblem& p, const ThinPhase& phase, const Planes& planes,
               std::int64_t begin, std::int64_t end, float* out, float* sums) {
  const Table& best = table();
  const std::int64_t lanes = best.lanes, per_tile = best.vectors[p.output_channels];
  const std::int64_t per_row = ceil_div(phase.columns, lanes);
  const std::int64_t vectors = (end - begin) * per_row;
  const std::int64_t taps = phase.kernel_h * phase.kernel_w;
  Tile tile{};
  tile.plane = planes.columns;
  tile.plane_row = p.channels * planes.columns;
  tile.kernel_h = phase.kernel_h, tile.kernel_w = phase.kernel_w;
  tile.sums = sums;
  for (std::int64_t first = 0; first < vectors; first += per_tile) {
    const std::int64_t count = std::min(per_tile, vectors - first);
    for (std::int64_t v = 0; v < per_tile; ++v) {
      // A tile that is not full repeats its last vector.
      const std::int64_t index = first + std::min(v, count - 1);
      const std::int64_t i = begin + index / per_row, j = index % per_row * lanes;
      tile.offsets[v] =
          (i + phase.top - planes.top) * tile.plane_row + (j + phase.left - planes.left);
    }
    std::fill_n(sums, p.output_channels * most_vectors * lanes, 0.0f);
    for (std::int64_t k = 0; k < p.channels; k += slab_channels) {
      tile.channels = std::min(slab_channels, p.channels - k);
      tile.planes = planes.data + k * planes.columns;
      tile.weights = phase.weights + k * taps * p.output_channels;
      best.tiles[p.output_channels](tile);
    }
    for (std::int64_t v = 0; v < count; ++v) {
      const std::int64_t i = begin + (first + v) / per_row, j = (first + v) % per_row * lanes;
      const std::int64_t pixels = std::min(lanes, phase.columns - j);
      float* to = out + i * phase.row + j * phase.column;
      for (std::int64_t x = 0; x < pixels; ++x) {
        for (std::int64_t c = 0; c < p.output_channels; ++c) {
          to[x * phase.column + c] = sums[(c * most_vectors + v) * lanes + x];
        }
      }
    }
  }
}

}  // namespace

}  // namespace thin

void convolve_thin(const ThinProblem& problem, const float* input,
                   const std::vector<ThinPhase>& phases) {
  using namespace thin;
  if (phases.empty()) return;
  const std::int64_t lanes = table().lanes;
  std::int64_t most_rows = 0, left = phases[0].left, right = left;
  std::int64_t top = phases[0].top, bottom = top;
  for (const ThinPhase& phase : phases) {
    most_rows = std::max(most_rows, phase.rows);
    left = std::min(left, phase.left);
    // Vectors reach beyond the last pixel of a row.
    right =
        std::max(right, phase.left + ceil_div(phase.columns, lanes) * lanes + phase.kernel_w - 1);
    top = std::min(top, phase.top);
    bottom = std::max(bottom, phase.top + phase.kernel_h - 1);
  }
  const std::int64_t columns = right - left, halo = bottom - top;
  // As many rows as keep the planes within half of a 1 MB L2 cache.
  const std::int64_t row_floats = problem.channels * columns;
  const std::int64_t block = std::clamp<std::int64_t>((1 << 17) / row_floats - halo, 1, most_rows);
  const std::int64_t blocks = ceil_div(most_rows, block);

  const int threads = num_threads();
  const std::int64_t planes_floats = (block + halo) * row_floats;
  const std::int64_t sums_floats = thin_channels * most_vectors * lanes;
  Tensor memory = Tensor::empty({threads, (planes_floats + sums_floats + 15) / 16 * 16}, DType::f32,
                                Device::cpu());
  float* const base = memory.mutable_data<float>();
  const std::int64_t work = problem.images * blocks;
  parallel_for(threads, [&](std::int64_t part) {
    float* planes_memory = base + part * memory.size(1);
    for (std::int64_t w = work * part / threads; w < work * (part + 1) / threads; ++w) {
      const std::int64_t n = w / blocks, begin = w % blocks * block;
      const Planes planes{begin + top, left, block + halo, columns, planes_memory};
      planes.fill(problem, input + n * problem.rows * problem.columns * problem.channels);
      for (const ThinPhase& phase : phases) {
        run_phase(problem, phase, planes, begin, std::min(begin + block, phase.rows),
                  phase.out + n * problem.output_image, planes_memory + planes_floats);
      }
    }
  });
}

}  // namespace imago::kernels
#endif
