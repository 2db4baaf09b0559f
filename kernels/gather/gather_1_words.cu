// Choosing by index, chapter 1: one thread, one word of the result.
//
// The idea. Threads follow the result. Of index_select a thread finds its row with a division
// (kernels/divisor.h), reads the row's index, the same for all the threads of the row, and moves
// a word of up to 16 bytes; of gather and one_hot it has an element, and gather its own index:
//
//   index_select   x rows      0:[a a a a] 1:[b b b b] 2:[c c c c]      indices 2 0 2
//                  out         [c c c c | a a a a | c c c c]
//                  thread       0 1 2 3   4 5 6 7   8 ...
//
// An index outside of the range is not followed: its words become 0xff in every byte, which is NaN
// in the floating types. To compare it as an unsigned number catches those below zero too.
//
// The bottleneck is memory. Rows of 128 bytes and more are read in whole lines, wherever they lie;
// predicted at over 70 per cent of copy bandwidth, not yet run on hardware. gather reads 8 bytes of
// index for an element of 4, and a line for each element if the indices jump about.
//
// Limits. Fewer than 2^31 words or elements of the result.
#include "kernels/divisor.h"
#include "kernels/gather/engines.h"
#include "kernels/gather/inside.cuh"
#include "kernels/words.cuh"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

// Every bit set.
template <class W>
__device__ W ones() {
  if constexpr (sizeof(W) == 16) {
    return {{~0u, ~0u, ~0u, ~0u}};
  } else {
    return static_cast<W>(~std::uint64_t{0});
  }
}

// x (outer, extent, row.value) words, indices (picks.value), out (outer, picks.value, row.value)
template <class W>
__global__ void __launch_bounds__(block_size)
    index_select_kernel(int words, Divisor row, Divisor picks, std::int64_t extent,
                        const std::byte* x, const std::int64_t* indices, std::byte* out) {
  const std::int64_t i = global_thread();
  if (i >= words) return;
  const int r = row.divide(static_cast<int>(i)), o = picks.divide(r);
  const std::int64_t index = indices[r - o * picks.value];
  W word = ones<W>();
  if (inside(index, 0, extent)) {
    const std::int64_t at = i - std::int64_t{r} * row.value;
    word = load_word<W>(x, (o * extent + index) * row.value + at);
  }
  store_word(out, i, word);
}

// x (outer, extent, inner.value), indices and out (outer, picks.value, inner.value)
template <class W>
__global__ void __launch_bounds__(block_size)
    gather_kernel(int count, Divisor inner, Divisor picks, std::int64_t extent, const std::byte* x,
                  const std::int64_t* indices, std::byte* out) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  const int r = inner.divide(static_cast<int>(i)), o = picks.divide(r);
  const std::int64_t index = indices[i];
  W word = ones<W>();
  if (inside(index, 0, extent)) {
    const std::int64_t at = i - std::int64_t{r} * inner.value;
    word = load_word<W>(x, (o * extent + index) * inner.value + at);
  }
  store_word(out, i, word);
}

// labels (...), out (..., classes.value); `one` is 1 in the type of out.
template <class W>
__global__ void __launch_bounds__(block_size)
    one_hot_kernel(int count, Divisor classes, W one, const std::int64_t* labels, std::byte* out) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  const int r = classes.divide(static_cast<int>(i));
  const std::int64_t label = labels[r], column = i - std::int64_t{r} * classes.value;
  store_word(out, i, inside(label, 0, classes.value) ? (label == column ? one : W{}) : ones<W>());
}

int checked_count(const char* op, std::int64_t count) {
  check(count <= std::numeric_limits<int>::max(), op, "the result would have ", count,
        " words, more than one launch can make");
  return static_cast<int>(count);
}

}  // namespace

void index_select_words(const Picks& p, const Tensor& x, const Tensor& indices, Tensor& out) {
  const std::byte* from = x.device_bytes();
  std::byte* to = out.mutable_device_bytes();
  const std::int64_t row = p.inner * static_cast<std::int64_t>(size_of(x.dtype()));
  const int word = widest_word({row, address_of(from), address_of(to)});
  const int words = checked_count("index_select", p.outer * p.picks * (row / word));
  with_word(word, [&]<class W> {
    launch<index_select_kernel<W>>(current_stream(), grid_for("index_select", words, block_size),
                                   block_size, 0, words, Divisor(row / word), Divisor(p.picks),
                                   p.extent, from, indices.device_data<std::int64_t>(), to);
  });
}

void gather_words(const Picks& p, const Tensor& x, const Tensor& indices, Tensor& out) {
  const int count = checked_count("gather", out.numel());
  with_word(static_cast<int>(size_of(x.dtype())), [&]<class W> {
    launch<gather_kernel<W>>(current_stream(), grid_for("gather", count, block_size), block_size, 0,
                             count, Divisor(p.inner), Divisor(p.picks), p.extent, x.device_bytes(),
                             indices.device_data<std::int64_t>(), out.mutable_device_bytes());
  });
}

void one_hot_words(const Tensor& labels, Tensor& out) {
  const int count = checked_count("one_hot", out.numel());
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      out.dtype(), "one_hot", [&]<class T> {
        with_word(static_cast<int>(sizeof(T)), [&]<class W> {
          if constexpr (sizeof(W) == sizeof(T)) {
            launch<one_hot_kernel<W>>(current_stream(), grid_for("one_hot", count, block_size),
                                      block_size, 0, count, Divisor(out.size(-1)),
                                      std::bit_cast<W>(T(1.0f)), labels.device_data<std::int64_t>(),
                                      out.mutable_device_bytes());
          }
        });
      });
}

}  // namespace imago::kernels
