// The inner loops of the operations that only move elements (permute, concat, gather), on one
// thread and in the best SIMD target of the machine. They move bytes, so one of them serves every
// dtype. Source and destination never overlap.
#pragma once

#include <cstddef>
#include <cstdint>

namespace imago::kernels {

// Results of at least so many bytes are written past the caches: they would not stay there, and a
// store that the caches must first fetch a line for costs a read as well.
inline constexpr std::int64_t streamed_bytes = std::int64_t{16} << 20;
// What one thread takes at a time.
inline constexpr std::int64_t moved_grain_bytes = 128 << 10;

// Copies n bytes. With `stream` the whole lines among them go past the caches; before the thread
// hands its work over it calls finish_streams().
void move_bytes(const std::byte* from, std::int64_t n, std::byte* to, bool stream);
void finish_streams();

// Asks for rows of `row_bytes` bytes, `pitch` bytes apart, before they are read: where rows lie
// apart no prefetcher of the processor guesses the next one.
void prefetch_rows(const std::byte* from, std::int64_t pitch, std::int64_t rows,
                   std::int64_t row_bytes);

// Copies `rows` rows of `row_bytes` bytes, from_pitch and to_pitch bytes apart.
void move_rows(const std::byte* from, std::int64_t from_pitch, std::int64_t rows,
               std::int64_t row_bytes, std::byte* to, std::int64_t to_pitch, bool stream);

// Row r of `to` is row indices[r] of `from`; rows of `row_bytes` bytes, side by side in both.
void move_chosen_rows(const std::byte* from, const std::int64_t* indices, std::int64_t rows,
                      std::int64_t row_bytes, std::byte* to, bool stream);

// Transposes a matrix of units of `unit` bytes: to[j * to_row + i] = from[i * from_row + j] for
// i < rows and j < columns, the rows from_row and to_row bytes apart.
void move_transposed(const std::byte* from, std::int64_t from_row, std::int64_t rows,
                     std::int64_t columns, std::int64_t unit, std::byte* to, std::int64_t to_row);

}  // namespace imago::kernels
