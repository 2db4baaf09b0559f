// Functions of two arguments, chapter 2: broadcasting.
//
// What changed. One argument may be repeated along some axes: a bias (C,) under images
// (N, H, W, C), a mean per image, an outer product. The host fuses the axes of the two shapes into
// as few loops as possible (broadcast.h), each with a stride for either operand, 0 where it is
// repeated. As before a thread makes a Pack of the result, here of `lanes` elements in a row of the
// whole tensor; the loops say where its operands lie, and the host chooses how they are fetched:
//
//   pack   one wide load: the operand is as large as the result, or its rows are whole packs
//   one    one element for all lanes: the operand is repeated along the innermost loop
//   each   one load a lane, each place worked out by itself: everything else
//
// Threads to outputs, x (rows, 8) * y (8,) in f32:
//
//   out      row 0                  row 1
//            | 0 1 2 3 | 4 5 6 7 |  | 0 1 2 3 | 4 5 6 7 |
//   thread        0         1            2         3
//   x, pack  | 0 1 2 3 | 4 5 6 7 |  | 8 ...              its place is that of the result
//   y, pack  | 0 1 2 3 | 4 5 6 7 |  | 0 1 2 3 | 4 5 6 7 |    the same two packs for every row
//
// With rows of 3 (pictures) a pack runs over the end of a row: x is still loaded as a pack and y
// goes lane by lane.
//
// The bottleneck is memory: the larger operand and the result; a repeated operand stays in the
// caches. Working out a place costs a division for each loop but the outermost (the compiler
// divides in 32 bits where both numbers allow it). With `each` on two or three loops these
// divisions take about as long as the memory of a large GPU (predicted, not yet run on hardware).
//
// Limits. The result starts at a multiple of 16 bytes, as every new tensor does.
#include <algorithm>

#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/engines.h"
#include "kernels/elementwise/packs.cuh"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

// The loops over the result, outermost first.
struct Loops {
  int count;
  BroadcastAxis axis[Shape::max_dim];
};

enum class Fetch { pack, one, each };

struct Places {
  std::int64_t x, y;
};

// Where the operands of element i of the result are.
__device__ Places places_of(const Loops& loops, std::int64_t i) {
  Places at{0, 0};
  for (int d = loops.count - 1; d > 0; --d) {
    const BroadcastAxis& axis = loops.axis[d];
    const std::int64_t rest = i / axis.extent;
    const std::int64_t step = i - rest * axis.extent;
    at.x += step * axis.stride_a;
    at.y += step * axis.stride_b;
    i = rest;
  }
  at.x += i * loops.axis[0].stride_a;
  at.y += i * loops.axis[0].stride_b;
  return at;
}

template <class T>
__device__ Pack<T> fetch_together(Fetch how, const T* from) {
  if (how == Fetch::pack) return load_as<Pack<T>>(from);
  Pack<T> pack;
  for (T& lane : pack.lane) lane = *from;
  return pack;
}

template <Binary op, class T>
__global__ void __launch_bounds__(block_size)
    broadcast_kernel(Loops loops, Fetch fetch_x, Fetch fetch_y, std::int64_t count, const T* x,
                     const T* y, T* out) {
  using A = acc_t<T>;
  constexpr int lanes = Pack<T>::lanes;
  const std::int64_t first = global_thread() * lanes;
  const std::int64_t left = count - first;
  if (left < lanes) fetch_x = fetch_y = Fetch::each;
  Pack<T> px{}, py{};
  if (fetch_x != Fetch::each || fetch_y != Fetch::each) {
    const Places at = places_of(loops, first);
    if (fetch_x != Fetch::each) px = fetch_together(fetch_x, x + at.x);
    if (fetch_y != Fetch::each) py = fetch_together(fetch_y, y + at.y);
  }
  if (fetch_x == Fetch::each || fetch_y == Fetch::each) {
#pragma unroll  // so that lanes stay in registers
    for (int l = 0; l < lanes; ++l) {
      // Lanes past the end look at the last element.
      const Places at = places_of(loops, min(first + l, count - 1));
      if (fetch_x == Fetch::each) px.lane[l] = x[at.x];
      if (fetch_y == Fetch::each) py.lane[l] = y[at.y];
    }
  }
  for (int l = 0; l < lanes; ++l) {
    const A value = formula<op, A>(static_cast<A>(px.lane[l]), static_cast<A>(py.lane[l]), A(0));
    px.lane[l] = static_cast<T>(value);
  }
  if (left >= lanes) {
    store_as(out + first, px);
  } else {
#pragma unroll
    for (int l = 0; l < lanes; ++l) {
      if (l < left) out[first + l] = px.lane[l];
    }
  }
}

// How to fetch an operand at `from` that has this stride in each loop.
template <class T>
Fetch fetch_of(std::span<const BroadcastAxis> axes, std::int64_t BroadcastAxis::*stride,
               const T* from) {
  constexpr int lanes = Pack<T>::lanes;
  const bool aligned = misalignment16(from) == 0;
  std::int64_t pitch = 1;
  bool dense = true;  // as large as the result
  for (std::size_t d = axes.size(); d-- > 0;) {
    dense &= axes[d].*stride == pitch;
    pitch *= axes[d].extent;
  }
  if (dense) return aligned ? Fetch::pack : Fetch::each;
  const BroadcastAxis& inner = axes.back();
  if (inner.extent % lanes != 0) return Fetch::each;  // packs run over the ends of rows
  if (inner.*stride == 0) return Fetch::one;
  bool rows_aligned = aligned;
  for (const BroadcastAxis& axis : axes.first(axes.size() - 1)) {
    rows_aligned &= axis.*stride % lanes == 0;
  }
  return rows_aligned ? Fetch::pack : Fetch::each;
}

template <Binary op, class T>
void launch_broadcast(std::span<const BroadcastAxis> axes, const T* x, const T* y, Tensor& out) {
  Loops loops{};
  loops.count = static_cast<int>(axes.size());
  std::copy(axes.begin(), axes.end(), loops.axis);
  const std::int64_t threads = (out.numel() + Pack<T>::lanes - 1) / Pack<T>::lanes;
  launch<broadcast_kernel<op, T>>(current_stream(), grid_for(name_of(op), threads, block_size),
                                  block_size, 0, loops, fetch_of(axes, &BroadcastAxis::stride_a, x),
                                  fetch_of(axes, &BroadcastAxis::stride_b, y), out.numel(), x, y,
                                  out.mutable_device_data<T>());
}

}  // namespace

void binary_broadcast(Binary op, std::span<const BroadcastAxis> axes, const Tensor& x,
                      const Tensor& y, Tensor& out) {
  dispatch<float, double, bf16>(out.dtype(), name_of(op), [&]<class T> {
    const T* px = x.device_data<T>();
    const T* py = y.device_data<T>();
    switch (op) {
      case Binary::add:
        return launch_broadcast<Binary::add>(axes, px, py, out);
      case Binary::sub:
        return launch_broadcast<Binary::sub>(axes, px, py, out);
      case Binary::mul:
        return launch_broadcast<Binary::mul>(axes, px, py, out);
      case Binary::div:
        return launch_broadcast<Binary::div>(axes, px, py, out);
      default:
        fail(name_of(op), "does not broadcast");
    }
  });
}

}  // namespace imago::kernels
