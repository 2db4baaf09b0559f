// Functions of two arguments, chapter 2: broadcasting.
//
// What changed. One argument may be repeated along some axes: a bias (C,) under images
// (N, H, W, C), a mean per image, an outer product. The host fuses the axes of the two shapes into
// as few loops as possible (broadcast.h), each with a stride for either operand, 0 where it is
// repeated. As before a thread makes a Pack of the result, here of `lanes` elements in a row of the
// whole tensor. broadcast.cuh says where its operands lie and how they are fetched: as one pack, as
// one element for all lanes, or lane by lane.
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
#include "kernels/elementwise/broadcast.cuh"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/engines.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

template <Binary op, class T>
__global__ void __launch_bounds__(block_size)
    broadcast_kernel(Loops loops, Fetch fetch_x, Fetch fetch_y, std::int64_t count, const T* x,
                     const T* y, T* out) {
  using A = acc_t<T>;
  constexpr int lanes = Pack<T>::lanes;
  const std::int64_t first = global_thread() * lanes;
  auto px = fetch_pack<lanes>(loops, 0, fetch_x, x, first, count);
  const auto py = fetch_pack<lanes>(loops, 1, fetch_y, y, first, count);
  for (int l = 0; l < lanes; ++l) {
    const A value =
        formula<op, A>(static_cast<A>(px.lane[l]), static_cast<A>(py.lane[l]), A(0), A(0));
    px.lane[l] = static_cast<T>(value);
  }
  store_pack(out, px, first, count);
}

template <Binary op, class T>
void launch_broadcast(std::span<const BroadcastAxis> axes, const T* x, const T* y, Tensor& out) {
  constexpr int lanes = Pack<T>::lanes;
  const std::int64_t threads = (out.numel() + lanes - 1) / lanes;
  launch<broadcast_kernel<op, T>>(current_stream(), grid_for(name_of(op), threads, block_size),
                                  block_size, 0, loops_of(axes), fetch_of<lanes>(axes, 0, x),
                                  fetch_of<lanes>(axes, 1, y), out.numel(), x, y,
                                  out.mutable_device_data<T>());
}

}  // namespace

void binary_broadcast(Binary op, std::span<const BroadcastAxis> axes, const Tensor& x,
                      const Tensor& y, Tensor& out) {
  dispatch<float, double, bf16>(out.dtype(), name_of(op), [&]<class T> {
    with_op(op, [&]<Binary o> {
      if constexpr (broadcasts(o)) {
        launch_broadcast<o>(axes, x.device_data<T>(), y.device_data<T>(), out);
      } else {
        fail(name_of(o), "does not broadcast");
      }
    });
  });
}

}  // namespace imago::kernels
