// The place of the largest element, chapter 1: a fold that carries where it found what it has.
//
// The idea. Threads walk as in fold_1_columns.cu, each holding (value, place) for its columns.
// Joining two takes the larger value, of equal ones the smaller place, and NaN before any number:
// so it does not matter who meets whom first, and the first of several equal elements is found
// whatever the order of the threads.
//
//   row        0    1    2    3    4    5    6
//   value      2    7    1    7    0    7    3        row lanes 0, 1, 2 take rows 0 3 6, 1 4, 2 5
//   lane 0    (2,0)          (7,3)          (7,3) -.
//   lane 1         (7,1)          (7,1) -----------+-> (7,1)
//   lane 2              (1,2)          (7,5) ------'
//
// A long reduction is cut into parts whose (value, place) pairs, two tensors, go through the same
// kernel again; there the places are read, in the first pass they are the rows.
//
// The bottleneck is memory: x is read once. A place is 8 bytes, so the states of a thread that
// has 8 bf16 columns fill 24 registers and more; chunks are short for that.
//
// Limits. Those of sum_1_columns.cu.
#include "kernels/launch.h"
#include "kernels/reduce/columns.cuh"
#include "kernels/reduce/reduce_cuda.h"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int chunk = 4;
// Few where they are emulated, so that threads walk over several chunks of a small tensor as they
// do of a large one on a GPU. The bits are the same.
constexpr std::int64_t blocks_wanted = device_is_emulated ? 4 : 512;
constexpr std::int64_t nowhere = std::numeric_limits<std::int64_t>::max();

template <class C>
struct Best {
  C value;
  std::int64_t place;

  __device__ void join(C v, std::int64_t p) {
    const bool same = v == value || (v != v && value != value);
    const bool better = v > value || (v != v && value == value);
    if (better || (same && p < place)) value = v, place = p;
  }
};

template <class C, int lanes>
struct ArgmaxBlock {
  LaneTile<C, lanes> value;
  LaneTile<std::int64_t, lanes> place;
};

template <class T, int lanes>
__global__ void __launch_bounds__(column_threads, 2)
    argmax_kernel(Columns c, bool aligned,
                  const T* x,                  // (outer, rows, columns)
                  const std::int64_t* places,  // like x, or null: the rows of x
                  T* value,                    // (outer, parts, columns), or null
                  std::int64_t* index) {       // (outer, parts, columns)
  using C = fold_t<T>;
  auto& s = shared<ArgmaxBlock<C, lanes>>();
  const ColumnPlace at = place_of<lanes>(c, blockIdx.x);

  Best<C> best[lanes];
  for (Best<C>& b : best) b = {fold_nothing<Fold::max, C>(), nowhere};
  const std::int64_t pitch = c.row_lanes * c.width;
  // Takes the element of lane l that is `offset` elements from the start of this outer matrix.
  const std::int64_t matrix = at.outer * c.rows * c.columns;
  const auto take = [&](int l, T v, std::int64_t offset) {
    const std::int64_t place = places ? places[matrix + offset] : offset / c.columns;
    best[l].join(static_cast<C>(v), place);
  };
  std::int64_t next = first_of(c, at) - matrix;
  for (int i = 0; i < at.count; i += chunk, next += chunk * pitch) {
    Unit<T, lanes> unit[chunk];
    load_rows(unit, x + matrix + next, pitch, at.count - i, aligned);
#pragma unroll
    for (int r = 0; r < chunk; ++r) {
      if (r >= at.count - i) continue;
      for (int l = 0; l < lanes; ++l) take(l, unit[r].lane[l], next + r * pitch + l);
    }
  }
  const std::int64_t extra = extra_of(c, at) - matrix;
#pragma unroll
  for (int l = 0; l < lanes; ++l) {
    if (l < at.extra) take(l, x[matrix + extra + l], extra + l);
  }

  for (int l = 0; l < lanes; ++l) {
    s.value(at.slot + l) = best[l].value;
    s.place(at.slot + l) = best[l].place;
  }
  const auto join_slots = [&](int slot, int other) {
    Best<C> b{s.value(slot), s.place(slot)};
    b.join(s.value(other), s.place(other));
    s.value(slot) = b.value, s.place(slot) = b.place;
  };
  join_row_lanes<lanes>(c, at, join_slots);

  const std::int64_t block = blockIdx.x;
  const std::int64_t tile = block % c.tiles, outer_block = block / c.tiles / c.parts;
  const int columns = result_columns<lanes>(c, tile);
  const std::int64_t first_column = tile * c.tile_units * lanes;
  for (int i = static_cast<int>(threadIdx.x); i < c.outers * columns; i += column_threads) {
    const int outer_lane = i / columns, j = i % columns;
    const std::int64_t outer = outer_block * c.outers + outer_lane;
    if (outer >= c.outer) break;
    const int first = outer_lane * c.row_lanes * c.tile_units * lanes + j;
    for (int k = 1; k < c.fold; ++k) join_slots(first, first + k * static_cast<int>(c.columns));
    const std::int64_t to = (outer * c.parts + at.part) * c.columns + first_column + j;
    if (value) value[to] = static_cast<T>(s.value(first));
    index[to] = s.place(first);
  }
}

// `places` may be undefined: the rows of x. `value` may be undefined: not wanted.
template <class T>
void run(const Tensor& x, const Tensor& places, std::int64_t outer, std::int64_t rows,
         std::int64_t columns, Tensor& index) {
  const Columns c = plan_columns(
      outer, rows, columns, {.lanes = Pack<T>::lanes, .chunk = chunk, .blocks = blocks_wanted});
  Tensor part_value, part_place = index;
  if (c.parts > 1) {
    part_value = Tensor::empty({outer, c.parts, columns}, x.dtype(), x.device());
    part_place = Tensor::empty({outer, c.parts, columns}, DType::i64, x.device());
  }
  const auto go = [&]<int lanes>() {
    const T* px = x.device_data<T>();
    const bool aligned = units_aligned(c, misalignment16(px), Pack<T>::lanes);
    launch<argmax_kernel<T, lanes>>(
        current_stream(), grid_for("argmax", c.blocks() * column_threads, column_threads),
        column_threads, sizeof(ArgmaxBlock<fold_t<T>, lanes>), c, aligned, px,
        places.defined() ? places.device_data<std::int64_t>() : nullptr,
        part_value.defined() ? part_value.mutable_device_data<T>() : nullptr,
        part_place.mutable_device_data<std::int64_t>());
  };
  if (c.packed) {
    go.template operator()<Pack<T>::lanes>();
  } else {
    go.template operator()<1>();
  }
  if (c.parts > 1) run<T>(part_value, part_place, outer, c.parts, columns, index);
}

}  // namespace

void argmax_middle_cuda(const Tensor& x, std::int64_t outer, std::int64_t rows,
                        std::int64_t columns, Tensor& index) {
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      x.dtype(), "argmax", [&]<class T> { run<T>(x, Tensor(), outer, rows, columns, index); });
}

}  // namespace imago::kernels
