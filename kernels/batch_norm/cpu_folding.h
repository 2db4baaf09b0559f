// How the direct engine divides a problem, as a function of the problem only.
//
// Folding: a row of C channels is short or ends in half a vector, but k = 64 / gcd(C, 64) rows one
// after another are one long row of k * C columns, a multiple of 64, whose column j holds channel
// j % C. Statistics are taken per column, columns of a channel merged at the end. Rows left over
// from folding form a tail block of their own.
//
// A group is split into at most 64 parts of whole 64-row blocks, the units of work for threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "kernels/batch_norm/cpu_rows.h"
#include "kernels/batch_norm/engines.h"
#include "kernels/parallel.h"

namespace imago::kernels {

constexpr std::int64_t block_rows = 64;
constexpr std::int64_t max_parts = 64;
// Below this, waking a thread costs more than it saves.
constexpr std::int64_t parallel_elements = std::int64_t{1} << 14;
// An output at least this large is written past the caches: it would not stay there for its reader,
// and fetching the lines to be overwritten costs a third of the traffic.
constexpr std::int64_t stream_bytes = std::int64_t{16} << 20;

class Folding {
 public:
  explicit Folding(const BatchNormProblem& p)
      : p_(p),
        fold_(strip_width / std::gcd(p.channels, strip_width)),
        folded_rows_(p.rows / fold_),
        tail_rows_(p.rows % fold_) {
    const std::int64_t blocks = ceil_div(folded_rows_, block_rows);
    const std::int64_t part_blocks = ceil_div(blocks, max_parts);
    part_rows_ = part_blocks * block_rows;
    parts_ = blocks == 0 ? 0 : ceil_div(folded_rows_, part_rows_);
  }

  std::int64_t width() const { return fold_ * p_.channels; }
  std::int64_t fold() const { return fold_; }
  std::int64_t parts() const { return parts_; }
  std::int64_t pieces() const { return parts_ + (tail_rows_ > 0 ? 1 : 0); }  // parts and tail

  // A piece of a group: rows of `width` columns from element `begin` on.
  struct Piece {
    std::int64_t begin, rows, width;
  };
  Piece piece(std::int64_t group, std::int64_t index) const {
    const std::int64_t base = group * p_.rows * p_.channels;
    if (index == parts_) return {base + folded_rows_ * width(), tail_rows_, p_.channels};
    const std::int64_t first = index * part_rows_;
    return {base + first * width(), std::min(part_rows_, folded_rows_ - first), width()};
  }

  // Calls f(group, index, piece) for every piece, in parallel.
  template <class F>
  void for_pieces(F&& f) const {
    each(p_.groups * pieces(), [&](std::int64_t task) { call(task, f); });
  }
  // The same from the end: the pass that comes second meets the data most likely still in cache.
  template <class F>
  void for_pieces_reversed(F&& f) const {
    const std::int64_t tasks = p_.groups * pieces();
    each(tasks, [&](std::int64_t task) { call(tasks - 1 - task, f); });
  }

  // Whether an output is written past the caches; it needs aligned rows in every group.
  bool stream() const {
    return p_.groups * p_.rows * p_.channels * 4 >= stream_bytes &&
           (p_.rows * p_.channels) % 16 == 0;
  }

 private:
  template <class F>
  void each(std::int64_t tasks, F&& f) const {
    if (p_.groups * p_.rows * p_.channels >= parallel_elements) {
      parallel_for(tasks, f);
    } else {
      for (std::int64_t task = 0; task < tasks; ++task) f(task);
    }
  }
  template <class F>
  void call(std::int64_t task, F&& f) const {
    f(task / pieces(), task % pieces(), piece(task / pieces(), task % pieces()));
  }

  BatchNormProblem p_;
  std::int64_t fold_, folded_rows_, tail_rows_;
  std::int64_t part_rows_ = 0, parts_ = 0;
};

}  // namespace imago::kernels
