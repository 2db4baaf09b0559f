// Repetition along axes, chapter 1: each thread makes 16 bytes of the result.
//
// The idea. Repeating along neighbouring axes turns x (outer, columns) into out (outer, rows,
// columns). The large side is the one written, so threads are laid over it: a thread finds out with
// two divisions where its 16 bytes come from, fetches them, and stores them whole.
//
//   out, columns = 3      a b c a | b c a b | c d e f | d e f d | ...      x = a b c d e f
//   thread                   0         1         2         3
//
// The few elements past the last whole 16 bytes get a thread each.
//
// The bottleneck is writing the result. x is smaller and comes from the caches. Divisions are in 32
// bits where the extents allow it, as a GPU has no instruction for them and takes about 70 for one
// in 64 bits: two of those for 16 bytes would cost more than the store.
//
// Limits. 2^31 blocks. Axes that are repeated apart from each other take one launch each, innermost
// first, so that only the last one writes the whole result.
#include <limits>

#include "kernels/launch.h"
#include "kernels/reduce/reduce_cuda.h"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

// Index holds `count`: std::uint32_t or std::uint64_t.
template <class T, class Index>
__global__ void __launch_bounds__(block_size)
    repeat_kernel(Index rows, Index columns, std::int64_t count, bool whole_units,
                  const T* x,  // (outer, columns)
                  T* out) {  // (outer, rows, columns), `count` elements, at a multiple of 16 bytes
  constexpr int lanes = Pack<T>::lanes;
  const std::int64_t packs = count / lanes;
  const std::int64_t thread = global_thread();
  const bool pack = thread < packs;
  const std::int64_t first = pack ? thread * lanes : packs * lanes + (thread - packs);
  if (first >= count) return;

  const Index span = rows * columns;
  Index outer = static_cast<Index>(first) / span;
  Index inner = static_cast<Index>(first) - outer * span;
  Index column = inner % columns;
  if (!pack) {
    out[first] = x[outer * columns + column];
    return;
  }
  if (whole_units) {
    store_as(out + first, load_as<Pack<T>>(x + outer * columns + column));
    return;
  }
  Pack<T> value;
  for (T& lane : value.lane) {
    lane = x[outer * columns + column];
    if (++column == columns) column = 0;
    if (++inner == span) inner = 0, column = 0, ++outer;
  }
  store_as(out + first, value);
}

}  // namespace

void repeat_middle_cuda(const Tensor& x, std::int64_t outer, std::int64_t rows,
                        std::int64_t columns, Tensor& out) {
  const std::int64_t count = outer * rows * columns;
  const auto run = [&]<class T, class Index>() {
    constexpr int lanes = Pack<T>::lanes;
    const T* px = x.device_data<T>();
    const bool whole_units = columns % lanes == 0 && misalignment16(px) == 0;
    const std::int64_t threads = count / lanes + count % lanes;
    launch<repeat_kernel<T, Index>>(current_stream(), grid_for("broadcast_to", threads, block_size),
                                    block_size, 0, static_cast<Index>(rows),
                                    static_cast<Index>(columns), count, whole_units, px,
                                    out.mutable_device_data<T>());
  };
  dispatch<float, double, bf16>(x.dtype(), "broadcast_to", [&]<class T> {
    if (count <= std::numeric_limits<std::uint32_t>::max()) {
      run.template operator()<T, std::uint32_t>();
    } else {
      run.template operator()<T, std::uint64_t>();
    }
  });
}

}  // namespace imago::kernels
