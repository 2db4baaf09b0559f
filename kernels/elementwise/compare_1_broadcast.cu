// Comparisons, chapter 1: two operands of any dtype in, a mask of bytes out.
//
// What changed from binary_2_broadcast.cu. The result is narrower than the operands: a thread takes
// sixteen bytes of an operand (broadcast.cuh) and stores one byte for each of its elements.
// Operands of equal shape are the case in which both are fetched as packs, so there is one kernel.
// Which comparison it is, is an argument: all threads take the same branch, and there is nothing
// else to do while the memory works.
//
//   f32   x     | 0 1 2 3 | 4 5 6 7 | 8 9 ..    16 bytes a thread, 512 a warp
//         y     | 0 1 2 3 | 4 5 6 7 | 8 9 ..
//         out   |0123|4567|89..                  4 bytes a thread, 128 a warp
//   thread        0    1    2
//
// The bottleneck is memory: two reads and, for f32, a quarter of a write.
//
// Limits. i64 and f64 store two bytes a thread: half a sector a warp, which the L2 cache puts
// together. Slices that do not start at a multiple of 16 bytes are read lane by lane.
#include "kernels/elementwise/broadcast.cuh"
#include "kernels/elementwise/engines.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

// What is compared: bf16 as f32, all else as it is.
template <class T>
using Comparable = std::conditional_t<std::is_same_v<T, bf16>, float, T>;

template <class T>
__global__ void __launch_bounds__(block_size)
    compare_kernel(Comparison op, Loops loops, Fetch fetch_x, Fetch fetch_y, std::int64_t count,
                   const T* x, const T* y, std::uint8_t* out) {
  using C = Comparable<T>;
  constexpr int lanes = Pack<T>::lanes;
  const std::int64_t first = global_thread() * lanes;
  const auto px = fetch_pack<lanes>(loops, 0, fetch_x, x, first, count);
  const auto py = fetch_pack<lanes>(loops, 1, fetch_y, y, first, count);
  Pack<std::uint8_t, lanes> said;
  for (int l = 0; l < lanes; ++l) {
    said.lane[l] = compared(op, static_cast<C>(px.lane[l]), static_cast<C>(py.lane[l])) ? 1 : 0;
  }
  store_pack(out, said, first, count);
}

}  // namespace

void compare_broadcast(Comparison op, std::span<const BroadcastAxis> axes, const Tensor& x,
                       const Tensor& y, Tensor& out) {
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      x.dtype(), name_of(op), [&]<class T> {
        constexpr int lanes = Pack<T>::lanes;
        const T* px = x.device_data<T>();
        const T* py = y.device_data<T>();
        const std::int64_t threads = (out.numel() + lanes - 1) / lanes;
        launch<compare_kernel<T>>(current_stream(), grid_for(name_of(op), threads, block_size),
                                  block_size, 0, op, loops_of(axes), fetch_of<lanes>(axes, 0, px),
                                  fetch_of<lanes>(axes, 1, py), out.numel(), px, py,
                                  out.mutable_device_data<std::uint8_t>());
      });
}

}  // namespace imago::kernels
