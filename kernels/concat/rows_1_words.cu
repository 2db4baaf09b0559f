// Joining, cutting and placing along an axis, chapter 1: one thread, one word.
//
// The idea. An axis cuts a tensor into rows, (outer, extent * inner). Joining along it, and
// cutting, move rows from one pitch to another; two numbers say where they start on either side:
//
//   concat along the channels of NHWC             place: rows of 2 into rows of 5
//
//   a  | a a a | a a a | ..   pitch 3             x    | x x | x x | ..
//   b  | b b | b b | ..       pitch 2             out  | 0 x x 0 0 | 0 x x 0 0 | ..
//   out| a a a b b | a a a b b | ..  pitch 5
//
// Threads follow the words of the rows that are written; one division (kernels/divisor.h) finds
// the row. Words have up to 16 bytes, as far as rows, pitches and addresses are multiples of them,
// whatever the dtype. `place` writes its zeros in the same pass, so that no byte is written twice.
//
//   thread   | 0 1 2 | 3 4 5 | ..     words of a row, row after row: neighbours in memory
//
// The bottleneck is memory, one read and one write of each word; 16-byte words where channels are a
// multiple of 4 f32 (predicted at over 80 per cent of copy bandwidth, not yet run on hardware).
// Rows of RGB move in words of 4 bytes and lose to instructions what they do not lose to memory.
//
// Limits. Fewer than 2^31 words.
#include "kernels/concat/engines.h"
#include "kernels/divisor.h"
#include "kernels/words.cuh"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

template <class W>
__global__ void __launch_bounds__(block_size)
    copy_rows_kernel(int words, Divisor row,  // of row.value words each
                     const std::byte* from, std::int64_t from_pitch, std::byte* to,
                     std::int64_t to_pitch) {
  const std::int64_t i = global_thread();
  if (i >= words) return;
  const int r = row.divide(static_cast<int>(i));
  const std::int64_t at = i - std::int64_t{r} * row.value;
  store_word(to, r * to_pitch + at, load_word<W>(from, r * from_pitch + at));
}

// to: words / pitch.value rows; from: as many rows of `row` words, side by side.
template <class W>
__global__ void __launch_bounds__(block_size)
    place_rows_kernel(int words, Divisor pitch, int first, int row, const std::byte* from,
                      std::byte* to) {
  const std::int64_t i = global_thread();
  if (i >= words) return;
  const int r = pitch.divide(static_cast<int>(i));
  const int at = static_cast<int>(i - std::int64_t{r} * pitch.value) - first;
  W word{};
  if (at >= 0 && at < row) word = load_word<W>(from, std::int64_t{r} * row + at);
  store_word(to, i, word);
}

int checked_words(const char* op, std::int64_t words) {
  check(words <= std::numeric_limits<int>::max(), op, "cannot move ", words,
        " words in one launch; cut the tensor along its outermost axis");
  return static_cast<int>(words);
}

}  // namespace

void copy_rows_words(const char* op, const Tensor& from, const Rows& there, std::int64_t rows,
                     std::int64_t row, Tensor& to, const Rows& here) {
  const std::byte* source = from.device_bytes() + there.first;
  std::byte* target = to.mutable_device_bytes() + here.first;
  const int word =
      widest_word({row, there.pitch, here.pitch, address_of(source), address_of(target)});
  const int words = checked_words(op, rows * (row / word));
  with_word(word, [&]<class W> {
    launch<copy_rows_kernel<W>>(current_stream(), grid_for(op, words, block_size), block_size, 0,
                                words, Divisor(row / word), source, there.pitch / word, target,
                                here.pitch / word);
  });
}

void place_rows_words(const Tensor& from, std::int64_t rows, std::int64_t row, Tensor& to,
                      const Rows& here) {
  const std::byte* source = from.device_bytes();
  std::byte* target = to.mutable_device_bytes();
  const int word =
      widest_word({row, here.first, here.pitch, address_of(source), address_of(target)});
  const int words = checked_words("place", rows * (here.pitch / word));
  with_word(word, [&]<class W> {
    launch<place_rows_kernel<W>>(current_stream(), grid_for("place", words, block_size), block_size,
                                 0, words, Divisor(here.pitch / word),
                                 static_cast<int>(here.first / word), static_cast<int>(row / word),
                                 source, target);
  });
}

}  // namespace imago::kernels
