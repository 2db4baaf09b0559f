// LeakyReLU and its gradient: sixteen bytes a thread.
//
// The idea. There is next to no arithmetic, so the only aim is to keep the memory busy. A thread
// moves a whole Pack (four floats, two doubles or eight bf16) with one load and one store: fewer
// instructions for the same bytes, and a warp asks for 512 bytes in a row.
//
// A Pack must start at a multiple of 16 bytes, but a tensor may be a slice that starts anywhere.
// If all pointers are off by the same amount, a few elements at the head and the tail go one by
// one and the body goes in packs; if not, everything goes one by one.
//
//   elements   | 0 1 2 | 3 4 5 6 | 7 8 9 10 | 11 12 |      f32, 12 bytes past a multiple of 16,
//              | head  |  pack 0 |  pack 1  | tail  |      count = 13
//   thread     | 2 3 4 |    0    |    1     | 5  6  |
//
// The packs come first so that all threads of a warp, but for one warp, do the same.
//
// The bottleneck is memory: 2 (gradient: 3) passes over the tensor. The way past it is not to run
// this kernel at all but to fold it into the one that makes x.
//
// Limits. 2^31 blocks of 256 threads.
#include "kernels/elementwise/leaky_relu_cuda.h"
#include "kernels/launch.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

// Who handles what: threads [0, packs) a pack each, threads [packs, threads) an element each.
struct Split {
  std::int64_t head, packs, threads;
};

template <class T>
Split split_of(std::int64_t count, std::size_t misaligned, bool all_equal) {
  constexpr std::int64_t lanes = Pack<T>::lanes;
  if (!all_equal) return {count, 0, count};
  const auto to_boundary = static_cast<std::int64_t>((16 - misaligned) % 16 / sizeof(T));
  const std::int64_t head = to_boundary < count ? to_boundary : count;
  const std::int64_t packs = (count - head) / lanes;
  return {head, packs, packs + count - packs * lanes};
}

// The first element of a thread.
template <class T>
__device__ std::int64_t element_of(const Split& split, std::int64_t thread) {
  constexpr std::int64_t lanes = Pack<T>::lanes;
  if (thread < split.packs) return split.head + thread * lanes;
  const std::int64_t single = thread - split.packs;
  return single < split.head ? single : single + split.packs * lanes;
}

// dy where x > 0, else slope * dy; with dy = x the function itself. NaN stays NaN.
template <class T>
__device__ T leak(T x, T dy, acc_t<T> slope) {
  if (static_cast<acc_t<T>>(x) > 0) return dy;
  return static_cast<T>(slope * static_cast<acc_t<T>>(dy));
}

template <class T>
__global__ void __launch_bounds__(block_size)
    leaky_relu_kernel(Split split, acc_t<T> slope, const T* x, T* y) {
  const std::int64_t thread = global_thread();
  if (thread >= split.threads) return;
  const std::int64_t i = element_of<T>(split, thread);
  if (thread < split.packs) {
    auto pack = load_as<Pack<T>>(x + i);
    for (T& lane : pack.lane) lane = leak(lane, lane, slope);
    store_as(y + i, pack);
  } else {
    y[i] = leak(x[i], x[i], slope);
  }
}

template <class T>
__global__ void __launch_bounds__(block_size)
    leaky_relu_grad_kernel(Split split, acc_t<T> slope, const T* x, const T* dy, T* dx) {
  const std::int64_t thread = global_thread();
  if (thread >= split.threads) return;
  const std::int64_t i = element_of<T>(split, thread);
  if (thread < split.packs) {
    const auto at_x = load_as<Pack<T>>(x + i);
    auto pack = load_as<Pack<T>>(dy + i);
    for (int l = 0; l < Pack<T>::lanes; ++l) pack.lane[l] = leak(at_x.lane[l], pack.lane[l], slope);
    store_as(dx + i, pack);
  } else {
    dx[i] = leak(x[i], dy[i], slope);
  }
}

}  // namespace

template <class T>
void leaky_relu_vector(Stream& stream, std::int64_t count, acc_t<T> slope, const T* x, T* y) {
  if (count == 0) return;
  const std::size_t off = misalignment16(x);
  const Split split = split_of<T>(count, off, off == misalignment16(y));
  launch<leaky_relu_kernel<T>>(stream, grid_for("leaky_relu", split.threads, block_size),
                               block_size, 0, split, slope, x, y);
}

template <class T>
void leaky_relu_grad_vector(Stream& stream, std::int64_t count, acc_t<T> slope, const T* x,
                            const T* dy, T* dx) {
  if (count == 0) return;
  const std::size_t off = misalignment16(x);
  const bool all_equal = off == misalignment16(dy) && off == misalignment16(dx);
  const Split split = split_of<T>(count, off, all_equal);
  launch<leaky_relu_grad_kernel<T>>(stream, grid_for("leaky_relu_grad", split.threads, block_size),
                                    block_size, 0, split, slope, x, dy, dx);
}

// The support matrix.
template void leaky_relu_vector(Stream&, std::int64_t, float, const float*, float*);
template void leaky_relu_vector(Stream&, std::int64_t, double, const double*, double*);
template void leaky_relu_vector(Stream&, std::int64_t, float, const bf16*, bf16*);
template void leaky_relu_grad_vector(Stream&, std::int64_t, float, const float*, const float*,
                                     float*);
template void leaky_relu_grad_vector(Stream&, std::int64_t, double, const double*, const double*,
                                     double*);
template void leaky_relu_grad_vector(Stream&, std::int64_t, float, const bf16*, const bf16*, bf16*);

}  // namespace imago::kernels
