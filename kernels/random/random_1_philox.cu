// Random tensors, chapter 1: one Philox block, one thread.
//
// The idea. Philox is a function of a counter, not a generator with a state: block b of a draw
// yields four words that depend on the key and b alone (tensor/philox.h). So thread b works out
// block b and writes the four elements that it stands for, and no thread waits for another or keeps
// anything. The CPU computes the same blocks with the same +, x, / and sqrt, hence the same bits.
//
//   thread     0                1                2
//   words      0   1   2   3    0   1   2   3    0   1   2   3
//              |   |   |   |    |   |   |   |    |   |
//   element    0   1   2   3    4   5   6   7    8   9         count = 10
//
// Normals take words in pairs (Box and Muller): two words make two normals.
//
// Dropout makes the same uniforms again wherever it needs them, forward and backward; that is
// cheaper than a mask in memory.
//
// The bottleneck. Ten rounds of two 32 x 32 to 64 bit products are about 100 instructions for four
// elements, a logarithm, a root and two polynomials another 100 for four normals: in f32 some 50
// instructions to 4 bytes, so arithmetic, not memory, sets the pace on a large GPU (predicted, not
// yet run on hardware). It hardly matters: a training step draws 100 numbers a picture.
//
// Limits. Four elements are 8 bytes of bf16, so a warp writes 256 bytes where it could 512. The
// key is an argument: a captured graph draws the same numbers at each replay.
#include "kernels/launch.h"
#include "kernels/random/engines.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

enum class Draw { normal, uniform };

// Elements 4 b, ..., of `count`, are given to pack(first) if there are four and they may be moved
// as one, else one by one to one(i, j), j < 4.
template <class Whole, class One>
__device__ void take_block(bool aligned, std::int64_t b, std::int64_t count, Whole&& whole,
                           One&& one) {
  const std::int64_t first = 4 * b;
  if (aligned && first + 4 <= count) {
    whole(first);
  } else {
    for (int j = 0; j < 4 && first + j < count; ++j) one(first + j, j);
  }
}

template <Draw draw, class T>
__global__ void __launch_bounds__(block_size)
    draw_kernel(DrawKey key, bool aligned, std::int64_t count, T* out) {
  const std::int64_t b = global_thread();
  const auto block = static_cast<std::uint64_t>(b);
  const auto values = draw == Draw::normal ? normal_block(key, block) : uniform_block(key, block);
  take_block(
      aligned, b, count,
      [&](std::int64_t first) {
        Pack<T, 4> pack;
        for (int j = 0; j < 4; ++j) pack.lane[j] = static_cast<T>(values[j]);
        store_as(out + first, pack);
      },
      [&](std::int64_t i, int j) { out[i] = static_cast<T>(values[j]); });
}

template <class T>
__global__ void __launch_bounds__(block_size)
    dropout_kernel(DrawKey key, float threshold, acc_t<T> factor, bool aligned, std::int64_t count,
                   const T* x, T* out) {
  using A = acc_t<T>;
  const std::int64_t b = global_thread();
  const auto u = uniform_block(key, static_cast<std::uint64_t>(b));
  const auto keep = [&](T value, int j) {
    return u[j] >= threshold ? static_cast<T>(static_cast<A>(value) * factor)
                             : static_cast<T>(A(0));
  };
  take_block(
      aligned, b, count,
      [&](std::int64_t first) {
        auto pack = load_as<Pack<T, 4>>(x + first);
        for (int j = 0; j < 4; ++j) pack.lane[j] = keep(pack.lane[j], j);
        store_as(out + first, pack);
      },
      [&](std::int64_t i, int j) { out[i] = keep(x[i], j); });
}

template <class T>
bool is_aligned(const T* first) {
  return misalignment16(first) % alignof(Pack<T, 4>) == 0;
}

template <Draw draw>
void draw_into(const char* op, DrawKey key, Tensor& out) {
  const std::int64_t count = out.numel();
  if (count == 0) return;
  dispatch<float, double, bf16>(out.dtype(), op, [&]<class T> {
    T* to = out.mutable_device_data<T>();
    launch<draw_kernel<draw, T>>(current_stream(), grid_for(op, (count + 3) / 4, block_size),
                                 block_size, 0, key, is_aligned(to), count, to);
  });
}

}  // namespace

void normal_philox(DrawKey key, Tensor& out) {
  draw_into<Draw::normal>("normal", key, out);
}

void uniform_philox(DrawKey key, Tensor& out) {
  draw_into<Draw::uniform>("uniform", key, out);
}

void dropout_philox(const Tensor& x, double p, DrawKey key, Tensor& out) {
  const std::int64_t count = x.numel();
  if (count == 0) return;
  dispatch<float, double, bf16>(x.dtype(), "dropout", [&]<class T> {
    const T* from = x.device_data<T>();
    T* to = out.mutable_device_data<T>();
    launch<dropout_kernel<T>>(current_stream(), grid_for("dropout", (count + 3) / 4, block_size),
                              block_size, 0, key, static_cast<float>(p),
                              static_cast<acc_t<T>>(1.0 / (1.0 - p)),
                              is_aligned(from) && is_aligned(to), count, from, to);
  });
}

}  // namespace imago::kernels
