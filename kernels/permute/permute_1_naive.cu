// Reordering axes, chapter 1: one thread, one word of the result.
//
// The idea. Threads follow the result, whose words lie side by side; each finds out with a division
// a loop (kernels/divisor.h) where its word comes from, and moves it. What stays innermost on
// both sides is moved in words of up to 16 bytes, whatever the dtype:
//
//   x (2, 3, C) -> (3, 2, C)                  a unit of C elements is C * size / 16 words
//
//   result   | unit 0,0 | unit 1,0 | unit 0,1 | ...
//   thread   | 0 1 2 3  | 4 5 6 7  | 8 9 ...          a warp stores 512 bytes in a row
//   x        | unit 0,0 | unit 0,1 | unit 0,2 | unit 1,0 | ...
//
// The bottleneck. Long units are read in whole lines, and the kernel runs at the speed of memory.
// Where single elements change places (a transpose), the lanes of a warp read 32 different lines
// for 4 bytes each: the lines are still in the L1 or L2 cache when their other elements are asked
// for if the result's rows are short (RGB), and are fetched again if they are long. Chapter 2 is
// for those.
//
// Limits. Fewer than 2^31 words.
#include "kernels/permute/engines.h"
#include "kernels/permute/loops.cuh"
#include "kernels/words.cuh"
#include "tensor/device_memory.h"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

// `words` words of x to their places in out; the nest's last loop runs along the words of out.
template <class W>
__global__ void __launch_bounds__(block_size)
    permute_naive_kernel(LoopNest nest, int words, const std::byte* x, std::byte* out) {
  const std::int64_t i = global_thread();
  if (i >= words) return;
  store_word(out, i, load_word<W>(x, nest.at(static_cast<int>(i)).from));
}

}  // namespace

void permute_naive(const Tensor& x, const PermutePlan& plan, Tensor& out) {
  const std::byte* from = x.device_bytes();
  std::byte* to = out.mutable_device_bytes();
  if (plan.is_copy()) return copy_on_device(to, from, x.nbytes(), current_stream());
  const std::int64_t unit = plan.unit_bytes(x.dtype());
  const int word = widest_word({unit, address_of(from), address_of(to)});
  const std::int64_t words = static_cast<std::int64_t>(x.nbytes()) / word, of_unit = unit / word;
  check(words <= std::numeric_limits<int>::max(), "permute", "cannot move ", words,
        " words in one launch; cut ", x.shape(), " along its outermost axis");
  LoopNest nest;
  for (const PermuteLoop& loop : plan.loops) nest.add({loop.extent, loop.from * of_unit, 0});
  if (of_unit > 1) nest.add({of_unit, 1, 0});
  with_word(word, [&]<class W> {
    launch<permute_naive_kernel<W>>(current_stream(), grid_for("permute", words, block_size),
                                    block_size, 0, nest, static_cast<int>(words), from, to);
  });
}

}  // namespace imago::kernels
