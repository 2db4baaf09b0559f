// A choice between two tensors by a mask, chapter 1: three operands that broadcast.
//
// The idea is that of binary_2_broadcast.cu with a mask of bytes beside the two operands: a thread
// makes sixteen bytes of the result and fetches one byte of the mask for each of its elements, by
// the rules of broadcast.cuh.
//
//   out, f32   | 0 1 2 3 | 4 5 6 7 | 8 9 ..    16 bytes a thread
//   mask       |0123|4567|89..                  4 bytes a thread
//   thread       0    1    2
//
// Both operands are read whichever is chosen: neighbours choose differently, and a wide load that
// is not needed costs less than narrow ones that are.
//
// The bottleneck is memory: two reads, one write and the mask, less what is repeated.
//
// Limits. A mask per pixel over three channels goes lane by lane, with its divisions (see
// binary_2_broadcast.cu).
#include "kernels/elementwise/broadcast.cuh"
#include "kernels/elementwise/engines.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

struct Fetches {
  Fetch mask, x, y;
};

template <class T>
__global__ void __launch_bounds__(block_size)
    where_kernel(Loops loops, Fetches fetch, std::int64_t count, const std::uint8_t* mask,
                 const T* x, const T* y, T* out) {
  constexpr int lanes = Pack<T>::lanes;
  const std::int64_t first = global_thread() * lanes;
  const auto chosen = fetch_pack<lanes>(loops, 0, fetch.mask, mask, first, count);
  auto px = fetch_pack<lanes>(loops, 1, fetch.x, x, first, count);
  const auto py = fetch_pack<lanes>(loops, 2, fetch.y, y, first, count);
  for (int l = 0; l < lanes; ++l) {
    if (chosen.lane[l] == 0) px.lane[l] = py.lane[l];
  }
  store_pack(out, px, first, count);
}

}  // namespace

void where_broadcast(std::span<const BroadcastAxis> axes, const Tensor& mask, const Tensor& x,
                     const Tensor& y, Tensor& out) {
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      x.dtype(), "where", [&]<class T> {
        constexpr int lanes = Pack<T>::lanes;
        const auto* pm = mask.device_data<std::uint8_t>();
        const T* px = x.device_data<T>();
        const T* py = y.device_data<T>();
        const Fetches fetch{fetch_of<lanes>(axes, 0, pm), fetch_of<lanes>(axes, 1, px),
                            fetch_of<lanes>(axes, 2, py)};
        const std::int64_t threads = (out.numel() + lanes - 1) / lanes;
        launch<where_kernel<T>>(current_stream(), grid_for("where", threads, block_size),
                                block_size, 0, loops_of(axes), fetch, out.numel(), pm, px, py,
                                out.mutable_device_data<T>());
      });
}

}  // namespace imago::kernels
