// Reductions other than floating-point sums, chapter 1: the walk of the sums, another way to join.
//
// The idea. The largest, the smallest, sums of |x| and x^2 and log sum e^x differ from a sum in how
// two elements are joined, not in which thread meets which element. So the map of threads is that
// of sum_1_columns.cu (kernels/reduce/columns.h): threads side by side read 16 bytes side by side
// and walk down their columns; row lanes of a block meet in shared memory, pairwise:
//
//   row lane   0   1   2   3   4   5   6
//              | <-|---|---|---'   |   |      half = 4
//              |   | <-|---|-------'   |
//              |   |   | <-|-----------'
//              | <-|---'   |                  half = 2
//              |   | <-----'
//              | <-'                          half = 1
//
// and parts of a long reduction are a matrix (outer, parts, columns) that is reduced in turn, by
// the joining fold: the sum for sums, the fold itself for the others.
//
// log sum e^x carries a pair (m, s) for log(s e^m): eight elements are looked at for their largest
// first, so that the sum so far is rescaled once for eight of them, and one element costs one
// exponential. Where m is infinite or NaN, s belongs to the base 0 (log_base in fold.h).
//
// The bottleneck is memory, x is read once; log sum e^x takes some 20 instructions an element,
// which f32 hides on a large GPU (predicted, not yet run on hardware).
//
// Limits. Those of sum_1_columns.cu.
#include "kernels/launch.h"
#include "kernels/reduce/columns.cuh"
#include "kernels/reduce/reduce_cuda.h"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int chunk = 8;
// Few where they are emulated, so that threads walk over several chunks of a small tensor as they
// do of a large one on a GPU.
constexpr std::int64_t blocks_wanted = device_is_emulated ? 4 : 512;

// What a thread knows of the elements it has met.
template <Fold op, class C>
struct State {
  C value;

  static __device__ State none() { return {fold_nothing<op, C>()}; }
  // Takes the first `count` <= chunk values.
  __device__ void take(const C (&v)[chunk], int count) {
#pragma unroll
    for (int r = 0; r < chunk; ++r) {
      if (r < count) value = fold_join<op>(value, fold_lift<op, C>(v[r]));
    }
  }
  __device__ void join(const State& other) {
    value = fold_join<op>(value, other.value);
  }
  __device__ C result() const {
    return value;
  }
};

template <class C>
struct State<Fold::logsumexp, C> {
  C largest, sum;

  // The sum for another base. No elements are none for every base.
  __device__ C sum_for(C base) const {
    return sum == C(0) ? C(0) : sum * math::exp(log_base(largest) - base);
  }

  static __device__ State none() { return {fold_nothing<Fold::logsumexp, C>(), C(0)}; }
  __device__ void take(const C (&v)[chunk], int count) {
    C most = largest;
#pragma unroll
    for (int r = 0; r < chunk; ++r) {
      if (r < count) most = larger(most, v[r]);
    }
    const C base = log_base(most);
    C more = 0;
#pragma unroll
    for (int r = 0; r < chunk; ++r) {
      if (r < count) more += math::exp(v[r] - base);
    }
    sum = sum_for(base) + more;
    largest = most;
  }
  __device__ void join(const State& other) {
    const C most = larger(largest, other.largest), base = log_base(most);
    sum = sum_for(base) + other.sum_for(base);
    largest = most;
  }
  __device__ C result() const {
    return log_base(largest) + math::log(sum);
  }
};

template <class S, int lanes>
struct FoldBlock {
  LaneTile<S, lanes> state;
};

template <Fold op, class T, int lanes>
__global__ void __launch_bounds__(column_threads, 2)
    fold_kernel(Columns c, bool aligned,
                const T* x,              // (outer, rows, columns)
                folded_t<op, T>* out) {  // (outer, parts, columns)
  using Out = folded_t<op, T>;
  using C = std::conditional_t<op == Fold::sum, Out, fold_t<T>>;
  using S = State<op, C>;
  auto& s = shared<FoldBlock<S, lanes>>();
  const ColumnPlace at = place_of<lanes>(c, blockIdx.x);

  S mine[lanes];
  for (S& state : mine) state = S::none();
  const std::int64_t pitch = c.row_lanes * c.width;
  const T* next = x + first_of(c, at);
  for (int i = 0; i < at.count; i += chunk, next += chunk * pitch) {
    Unit<T, lanes> unit[chunk];
    load_rows(unit, next, pitch, at.count - i, aligned);
    for (int l = 0; l < lanes; ++l) {
      C v[chunk];
      for (int r = 0; r < chunk; ++r) v[r] = static_cast<C>(unit[r].lane[l]);
      mine[l].take(v, at.count - i);
    }
  }
  const T* extra = x + extra_of(c, at);
#pragma unroll
  for (int l = 0; l < lanes; ++l) {
    if (l >= at.extra) continue;
    const C v[chunk] = {static_cast<C>(extra[l])};
    mine[l].take(v, 1);
  }

  for (int l = 0; l < lanes; ++l) s.state(at.slot + l) = mine[l];
  join_row_lanes<lanes>(c, at, [&](int slot, int other) { s.state(slot).join(s.state(other)); });

  const std::int64_t block = blockIdx.x;
  const std::int64_t tile = block % c.tiles, outer_block = block / c.tiles / c.parts;
  const int columns = result_columns<lanes>(c, tile);
  const std::int64_t first_column = tile * c.tile_units * lanes;
  for (int i = static_cast<int>(threadIdx.x); i < c.outers * columns; i += column_threads) {
    const int outer_lane = i / columns, j = i % columns;
    const std::int64_t outer = outer_block * c.outers + outer_lane;
    if (outer >= c.outer) break;
    const int first = outer_lane * c.row_lanes * c.tile_units * lanes + j;
    S total = s.state(first);
    for (int k = 1; k < c.fold; ++k) total.join(s.state(first + k * static_cast<int>(c.columns)));
    out[(outer * c.parts + at.part) * c.columns + first_column + j] =
        static_cast<Out>(total.result());
  }
}

template <Fold op, class T>
void run(const Columns& c, const Tensor& x, Tensor& out) {
  using Out = folded_t<op, T>;
  using C = std::conditional_t<op == Fold::sum, Out, fold_t<T>>;
  const auto go = [&]<int lanes>() {
    const T* px = x.device_data<T>();
    const bool aligned = units_aligned(c, misalignment16(px), Pack<T>::lanes);
    launch<fold_kernel<op, T, lanes>>(
        current_stream(), grid_for("reduce", c.blocks() * column_threads, column_threads),
        column_threads, sizeof(FoldBlock<State<op, C>, lanes>), c, aligned, px,
        out.mutable_device_data<Out>());
  };
  if (c.packed) {
    go.template operator()<Pack<T>::lanes>();
  } else {
    go.template operator()<1>();
  }
}

template <Fold op>
void run_floats(const Columns& c, const Tensor& x, Tensor& out) {
  dispatch<float, double, bf16>(x.dtype(), "reduce", [&]<class T> { run<op, T>(c, x, out); });
}

template <Fold op>
void run_any(const Columns& c, const Tensor& x, Tensor& out) {
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      x.dtype(), "reduce", [&]<class T> { run<op, T>(c, x, out); });
}

}  // namespace

void fold_middle_cuda(Fold op, const Tensor& x, std::int64_t outer, std::int64_t rows,
                      std::int64_t columns, Tensor& out) {
  if (op == Fold::sum && is_floating(x.dtype())) {
    return sum_middle_cuda(x, outer, rows, columns, out);
  }
  const int lanes = static_cast<int>(16 / size_of(x.dtype()));
  const Columns c =
      plan_columns(outer, rows, columns, {.lanes = lanes, .chunk = chunk, .blocks = blocks_wanted});
  Tensor partial;
  if (c.parts > 1) partial = Tensor::empty({outer, c.parts, columns}, out.dtype(), x.device());
  Tensor& result = c.parts > 1 ? partial : out;
  switch (op) {
    case Fold::max:
      run_any<Fold::max>(c, x, result);
      break;
    case Fold::min:
      run_any<Fold::min>(c, x, result);
      break;
    case Fold::sum:
      dispatch<std::int32_t, std::int64_t, std::uint8_t>(
          x.dtype(), "reduce", [&]<class T> { run<Fold::sum, T>(c, x, result); });
      break;
    case Fold::sum_abs:
      run_floats<Fold::sum_abs>(c, x, result);
      break;
    case Fold::sum_squares:
      run_floats<Fold::sum_squares>(c, x, result);
      break;
    case Fold::logsumexp:
      run_floats<Fold::logsumexp>(c, x, result);
      break;
  }
  if (c.parts > 1) fold_middle_cuda(joining(op), partial, outer, c.parts, columns, out);
}

}  // namespace imago::kernels
