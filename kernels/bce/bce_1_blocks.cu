// Binary cross-entropy, chapter 1: a block sums a stretch, one block sums the blocks.
//
// The idea. A mean needs every element, and the order of a sum decides its last bits, so that order
// must come from the problem alone. The elements are cut into stretches whose length depends on
// their number only. In a stretch, thread t adds elements t, t + 256, t + 512, ...; then a tree in
// shared memory adds the 256 partial sums, always the same pairs. No atomics: a sum that takes
// whoever comes first would differ from run to run.
//
//   element   0   1   2 ... 255 | 256 257 ... 511 | ...       one stretch, at least 2048 elements
//   thread    0   1   2 ... 255 |   0   1 ... 255 | ...
//
//   the tree, 8 threads for the picture:
//             0   1   2   3   4   5   6   7
//             +---|---|---|---'   |   |   |       0 += 4, 1 += 5, 2 += 6, 3 += 7
//             +---|---'   |                       0 += 2, 1 += 3
//             +---'                               0 += 1, which is the sum
//
// A GAN's loss has one logit per picture: a single stretch and a single launch. More elements need
// a second launch, of one block that adds up the stretches in the same way.
//
// The gradient is elementwise (kernels/elementwise/packs.cuh). It reads dy from device memory,
// where the backward pass left it.
//
// The bottleneck, for the sizes that occur, is the time to launch: about 2 us for 128 numbers
// (predicted, not yet run on hardware). For millions of elements it is memory, read once.
//
// Limits. At most 4096 stretches; beyond 8 million elements they grow longer, and with them the
// rounding error of f32.
#include "kernels/bce/engines.h"
#include "kernels/elementwise/math.h"
#include "kernels/elementwise/packs.cuh"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;
constexpr std::int64_t shortest_stretch = 8 * block_size;
constexpr std::int64_t most_stretches = 4096;

template <class A>
struct Partial {
  Tile<A, block_size> sum;
};

// The sum over the block of what each thread brings; known to thread 0.
template <class A>
__device__ A sum_of_block(A mine) {
  auto& s = shared<Partial<A>>();
  const auto t = static_cast<int>(threadIdx.x);
  s.sum(t) = mine;
  __syncthreads();
  for (int half = block_size / 2; half > 0; half /= 2) {
    if (t < half) s.sum(t) += s.sum(t + half);
    __syncthreads();
  }
  return s.sum(0);
}

// sums[b] = factor * the sum of the losses of stretch b.
template <class T>
__global__ void __launch_bounds__(block_size)
    bce_kernel(std::int64_t count, std::int64_t stretch, acc_t<T> factor, const T* x, const T* t,
               acc_t<T>* sums) {
  using A = acc_t<T>;
  const std::int64_t begin = blockIdx.x * stretch;
  const std::int64_t end = begin + stretch < count ? begin + stretch : count;
  A sum = 0;
  for (std::int64_t i = begin + threadIdx.x; i < end; i += block_size) {
    const A v = static_cast<A>(x[i]);
    sum += math::softplus(v) - v * static_cast<A>(t[i]);
  }
  const A total = sum_of_block(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = total * factor;
}

// One block: mean = factor * the sum of `count` sums.
template <class A>
__global__ void __launch_bounds__(block_size)
    bce_finish_kernel(std::int64_t count, A factor, const A* sums, A* mean) {
  A sum = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += block_size) sum += sums[i];
  const A total = sum_of_block(sum);
  if (threadIdx.x == 0) *mean = total * factor;
}

template <class T>
__global__ void __launch_bounds__(block_size)
    bce_grad_kernel(Packs cut, std::int64_t count, const acc_t<T>* dy, const T* x, const T* t,
                    T* out) {
  using A = acc_t<T>;
  const A factor = *dy / static_cast<A>(count);
  const auto f = [factor](T logit, T target) {
    const A difference = math::sigmoid(static_cast<A>(logit)) - static_cast<A>(target);
    return static_cast<T>(factor * difference);
  };
  take_pack<Pack<T>::lanes>(
      cut,
      [&](std::int64_t i) {
        auto pack = load_as<Pack<T>>(x + i);
        const auto target = load_as<Pack<T>>(t + i);
        for (int l = 0; l < Pack<T>::lanes; ++l) pack.lane[l] = f(pack.lane[l], target.lane[l]);
        store_as(out + i, pack);
      },
      [&](std::int64_t i) { out[i] = f(x[i], t[i]); });
}

}  // namespace

void bce_with_logits_blocks(const Tensor& logits, const Tensor& targets, Tensor& loss) {
  const std::int64_t count = logits.numel();
  const std::int64_t longest = (count + most_stretches - 1) / most_stretches;
  const std::int64_t stretch = longest < shortest_stretch ? shortest_stretch : longest;
  const std::int64_t stretches = (count + stretch - 1) / stretch;
  Tensor sums = loss;
  if (stretches > 1) sums = Tensor::empty({stretches}, loss.dtype(), loss.device());
  dispatch<float, double, bf16>(logits.dtype(), "bce_with_logits", [&]<class T> {
    using A = acc_t<T>;
    const A mean = static_cast<A>(1.0 / static_cast<double>(count));
    A* partial = sums.mutable_device_data<A>();
    launch<bce_kernel<T>>(current_stream(), dim3(static_cast<unsigned>(stretches)), block_size,
                          sizeof(Partial<A>), count, stretch, stretches > 1 ? A(1) : mean,
                          logits.device_data<T>(), targets.device_data<T>(), partial);
    if (stretches == 1) return;
    launch<bce_finish_kernel<A>>(current_stream(), dim3(1), block_size, sizeof(Partial<A>),
                                 stretches, mean, static_cast<const A*>(partial),
                                 loss.mutable_device_data<A>());
  });
}

void bce_with_logits_grad_vector(const Tensor& dy, const Tensor& logits, const Tensor& targets,
                                 Tensor& out) {
  dispatch<float, double, bf16>(logits.dtype(), "bce_with_logits_grad", [&]<class T> {
    constexpr int lanes = Pack<T>::lanes;
    const T* x = logits.device_data<T>();
    const T* t = targets.device_data<T>();
    T* to = out.mutable_device_data<T>();
    const Packs cut = cut_into_packs<lanes>(
        logits.numel(), {pack_phase<lanes>(x), pack_phase<lanes>(t), pack_phase<lanes>(to)});
    launch<bce_grad_kernel<T>>(
        current_stream(), grid_for("bce_with_logits_grad", cut.threads, block_size), block_size, 0,
        cut, logits.numel(), dy.device_data<acc_t<T>>(), x, t, to);
  });
}

}  // namespace imago::kernels
