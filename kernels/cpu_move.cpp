#include "kernels/cpu_move.h"

#include <cstring>

#include "kernels/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu_move.cpp"
#include "hwy/foreach_target.h"
//
#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::int64_t line = 64;
constexpr std::int64_t ahead = 8;  // rows asked for before their turn

HWY_INLINE std::uint8_t* bytes_of(std::byte* p) {
  return reinterpret_cast<std::uint8_t*>(p);
}
HWY_INLINE const std::uint8_t* bytes_of(const std::byte* p) {
  return reinterpret_cast<const std::uint8_t*>(p);
}

void copy_run(const std::byte* from, std::int64_t n, std::byte* to, bool stream) {
  if (!stream || n < 2 * line) {
    std::memcpy(to, from, static_cast<std::size_t>(n));
    return;
  }
  const hn::ScalableTag<std::uint8_t> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto past = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(to) % line);
  std::int64_t i = past > 0 ? line - past : 0;
  std::memcpy(to, from, static_cast<std::size_t>(i));
  for (; i + line <= n; i += line) {
    for (std::int64_t v = 0; v < line; v += lanes) {
      hn::Stream(hn::LoadU(d, bytes_of(from + i + v)), d, bytes_of(to + i + v));
    }
  }
  std::memcpy(to + i, from + i, static_cast<std::size_t>(n - i));
}

// The first lines of a row that will be read soon.
HWY_INLINE void ask(const std::byte* row, std::int64_t row_bytes) {
  for (std::int64_t b = 0; b < row_bytes && b < 8 * line; b += line) hwy::Prefetch(row + b);
}

void ask_rows(const std::byte* from, std::int64_t pitch, std::int64_t rows,
              std::int64_t row_bytes) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::byte* row = from + r * pitch;
    for (std::int64_t b = 0; b < row_bytes; b += line) hwy::Prefetch(row + b);
  }
}

void finish() {
  hwy::FlushStream();
}

// A row too short for a call of memcpy, in words of W.
template <class W>
HWY_INLINE void move_words(const std::byte* from, std::int64_t words, std::byte* to) {
  for (std::int64_t k = 0; k < words; ++k) {
    W word;
    std::memcpy(&word, from + k * static_cast<std::int64_t>(sizeof(W)), sizeof(W));
    std::memcpy(to + k * static_cast<std::int64_t>(sizeof(W)), &word, sizeof(W));
  }
}

// Calls f.template operator()<W>() for the widest W of which `row_bytes` is a multiple.
template <class F>
HWY_INLINE void with_word(std::int64_t row_bytes, F&& f) {
  if (row_bytes % 8 == 0) {
    f.template operator()<std::uint64_t>();
  } else if (row_bytes % 4 == 0) {
    f.template operator()<std::uint32_t>();
  } else if (row_bytes % 2 == 0) {
    f.template operator()<std::uint16_t>();
  } else {
    f.template operator()<std::uint8_t>();
  }
}

void move_all_rows(const std::byte* from, std::int64_t from_pitch, std::int64_t rows,
                   std::int64_t row_bytes, std::byte* to, std::int64_t to_pitch, bool stream) {
  if (from_pitch == row_bytes && to_pitch == row_bytes) {
    copy_run(from, rows * row_bytes, to, stream);
    return;
  }
  if (row_bytes >= line) {
    const bool apart = from_pitch > row_bytes;
    for (std::int64_t r = 0; r < rows; ++r) {
      if (apart && r + ahead < rows) ask(from + (r + ahead) * from_pitch, row_bytes);
      copy_run(from + r * from_pitch, row_bytes, to + r * to_pitch, stream);
    }
    return;
  }
  with_word(row_bytes, [&]<class W> {
    const std::int64_t words = row_bytes / static_cast<std::int64_t>(sizeof(W));
    for (std::int64_t r = 0; r < rows; ++r) {
      move_words<W>(from + r * from_pitch, words, to + r * to_pitch);
    }
  });
}

void move_chosen(const std::byte* from, const std::int64_t* indices, std::int64_t rows,
                 std::int64_t row_bytes, std::byte* to, bool stream) {
  const auto each = [&](auto&& one) {
    for (std::int64_t r = 0; r < rows; ++r) {
      if (r + ahead < rows) ask(from + indices[r + ahead] * row_bytes, row_bytes);
      one(from + indices[r] * row_bytes, to + r * row_bytes);
    }
  };
  if (row_bytes >= line) {
    each([&](const std::byte* f, std::byte* t) { copy_run(f, row_bytes, t, stream); });
  } else {
    with_word(row_bytes, [&]<class W> {
      const std::int64_t words = row_bytes / static_cast<std::int64_t>(sizeof(W));
      each([&](const std::byte* f, std::byte* t) { move_words<W>(f, words, t); });
    });
  }
}

#if HWY_TARGET != HWY_SCALAR
// Transposes lanes x lanes words in registers: a stage interleaves vector i with vector
// i + lanes / 2, which moves the highest bit of the row's number below the lowest of the column's;
// after log2(lanes) stages the two have changed places. Reads `rows` rows, the others count as
// zeros, and writes `columns` of the columns, whole vectors all.
template <class T>
HWY_INLINE void transpose_block(const std::byte* from, std::int64_t from_row, int rows,
                                std::byte* to, std::int64_t to_row, int columns) {
  constexpr int lanes = 16 / static_cast<int>(sizeof(T));
  const hn::FixedTag<T, lanes> d;
  const hn::Repartition<std::uint8_t, decltype(d)> d8;
  hn::Vec<decltype(d)> a[lanes], b[lanes];
#pragma GCC unroll 16
  for (int k = 0; k < lanes; ++k) {
    a[k] = hn::Zero(d);
    if (k < rows) a[k] = hn::BitCast(d, hn::LoadU(d8, bytes_of(from + k * from_row)));
  }
#pragma GCC unroll 4
  for (int stage = 1; stage < lanes; stage *= 2) {
#pragma GCC unroll 8
    for (int k = 0; k < lanes / 2; ++k) {
      b[2 * k] = hn::InterleaveLower(d, a[k], a[k + lanes / 2]);
      b[2 * k + 1] = hn::InterleaveUpper(d, a[k], a[k + lanes / 2]);
    }
#pragma GCC unroll 16
    for (int k = 0; k < lanes; ++k) a[k] = b[k];
  }
#pragma GCC unroll 16
  for (int k = 0; k < lanes; ++k) {
    if (k < columns) hn::StoreU(hn::BitCast(d8, a[k]), d8, bytes_of(to + k * to_row));
  }
}
#endif

// Units of one word, in blocks of lanes x lanes. What is left of a narrow matrix goes in blocks
// too, as far as whole vectors stay inside of it: they read on into the next row, or write on into
// columns that follow and are written later.
template <class T>
HWY_INLINE void transpose_words(const std::byte* from, std::int64_t from_row, std::int64_t rows,
                                std::int64_t columns, std::byte* to, std::int64_t to_row) {
  constexpr std::int64_t size = sizeof(T);
  const auto one = [&](std::int64_t i, std::int64_t j) {
    std::memcpy(to + j * to_row + i * size, from + i * from_row + j * size, size);
  };
  std::int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  constexpr int lanes = 16 / static_cast<int>(sizeof(T));
  const auto block = [&](std::int64_t j, int block_rows, int block_columns) {
    transpose_block<T>(from + i * from_row + j * size, from_row, block_rows,
                       to + j * to_row + i * size, to_row, block_columns);
  };
  const std::int64_t from_end = (rows - 1) * from_row + columns * size;
  for (; i + lanes <= rows; i += lanes) {
    std::int64_t j = 0;
    for (; j + lanes <= columns; j += lanes) block(j, lanes, lanes);
    if (j < columns && (i + lanes - 1) * from_row + (j + lanes) * size <= from_end) {
      block(j, lanes, static_cast<int>(columns - j));
      continue;
    }
    for (; j < columns; ++j) {
      for (int k = 0; k < lanes; ++k) one(i + k, j);
    }
  }
  std::int64_t narrow = 0;  // columns done of fewer rows than a block has
  if (rows < lanes && to_row == rows * size) {
    const std::int64_t to_end = columns * to_row;
    for (; narrow + lanes <= columns && (narrow + lanes - 1) * to_row + lanes * size <= to_end;
         narrow += lanes) {
      block(narrow, static_cast<int>(rows), lanes);
    }
  }
#else
  constexpr std::int64_t narrow = 0;
#endif
  for (; i < rows; ++i) {
    for (std::int64_t j = narrow; j < columns; ++j) one(i, j);
  }
}

void transpose(const std::byte* from, std::int64_t from_row, std::int64_t rows,
               std::int64_t columns, std::int64_t unit, std::byte* to, std::int64_t to_row) {
  switch (unit) {
    case 1:
      return transpose_words<std::uint8_t>(from, from_row, rows, columns, to, to_row);
    case 2:
      return transpose_words<std::uint16_t>(from, from_row, rows, columns, to, to_row);
    case 4:
      return transpose_words<std::uint32_t>(from, from_row, rows, columns, to, to_row);
    case 8:
      return transpose_words<std::uint64_t>(from, from_row, rows, columns, to, to_row);
    default:
      with_word(unit, [&]<class W> {
        const std::int64_t words = unit / static_cast<std::int64_t>(sizeof(W));
        for (std::int64_t i = 0; i < rows; ++i) {
          for (std::int64_t j = 0; j < columns; ++j) {
            move_words<W>(from + i * from_row + j * unit, words, to + j * to_row + i * unit);
          }
        }
      });
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace imago::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(copy_run);
HWY_EXPORT(ask_rows);
HWY_EXPORT(finish);
HWY_EXPORT(move_all_rows);
HWY_EXPORT(move_chosen);
HWY_EXPORT(transpose);

void move_bytes(const std::byte* from, std::int64_t n, std::byte* to, bool stream) {
  HWY_DYNAMIC_DISPATCH(copy_run)(from, n, to, stream);
}
void finish_streams() {
  HWY_DYNAMIC_DISPATCH(finish)();
}
void prefetch_rows(const std::byte* from, std::int64_t pitch, std::int64_t rows,
                   std::int64_t row_bytes) {
  HWY_DYNAMIC_DISPATCH(ask_rows)(from, pitch, rows, row_bytes);
}
void move_rows(const std::byte* from, std::int64_t from_pitch, std::int64_t rows,
               std::int64_t row_bytes, std::byte* to, std::int64_t to_pitch, bool stream) {
  HWY_DYNAMIC_DISPATCH(move_all_rows)(from, from_pitch, rows, row_bytes, to, to_pitch, stream);
}
void move_chosen_rows(const std::byte* from, const std::int64_t* indices, std::int64_t rows,
                      std::int64_t row_bytes, std::byte* to, bool stream) {
  HWY_DYNAMIC_DISPATCH(move_chosen)(from, indices, rows, row_bytes, to, stream);
}
void move_transposed(const std::byte* from, std::int64_t from_row, std::int64_t rows,
                     std::int64_t columns, std::int64_t unit, std::byte* to, std::int64_t to_row) {
  HWY_DYNAMIC_DISPATCH(transpose)(from, from_row, rows, columns, unit, to, to_row);
}

}  // namespace imago::kernels
#endif
