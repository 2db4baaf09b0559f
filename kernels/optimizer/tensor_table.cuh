// Many tensors in one launch: a table of pointers that travels as a kernel argument.
//
// A network has dozens of parameters, most of them small; a launch for each would cost more than
// the work. Here every tensor gets as many blocks as it needs, numbered one after the other, and a
// block finds its tensor by the number of the first block of each.
//
//   tensor    0 (5 blocks)        1 (1)   2 (3 blocks)
//   block     0   1   2   3   4   5       6   7   8
//   first     0                   5       6             9 = all blocks
//
// Arguments of a launch may have 4096 bytes on every GPU; longer lists take more launches. The
// kernel reads them where they are, in constant memory, as long as it takes no address of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "kernels/launch.h"

namespace imago::kernels {

// Entry: a struct of pointers, one for each array of a tensor.
template <class Entry>
struct TensorTable {
  // 384 bytes are left for the table's own numbers and further arguments.
  static constexpr int capacity = static_cast<int>(
      (4096 - 384) / (sizeof(Entry) + sizeof(std::int64_t) + sizeof(int) + sizeof(bool)));

  Entry entry[capacity];
  std::int64_t numel[capacity];
  int first_block[capacity + 1];
  int count;
  bool aligned[capacity];  // all pointers of the entry, to 16 bytes

  // The number of the tensor that block `block` works on.
  __device__ int tensor_of(int block) const {
    int low = 0;
    int high = count;
    while (high - low > 1) {
      const int middle = (low + high) / 2;
      (first_block[middle] <= block ? low : high) = middle;
    }
    return low;
  }
};

template <class Entry>
struct TableRow {
  Entry entry;
  std::int64_t numel;
  bool aligned;
};

// Fills tables from `count` tensors and calls launch_table(table, blocks) for each full one and the
// last. row(i) returns the TableRow<Entry> of tensor i; a block takes `per_block` of its elements.
// Tensors without elements are left out.
template <class Entry, class Row, class LaunchTable>
void for_each_table(const char* op, std::size_t count, std::int64_t per_block, Row&& row,
                    LaunchTable&& launch_table) {
  TensorTable<Entry> table{};
  const auto flush = [&] {
    if (table.count > 0) launch_table(table, table.first_block[table.count]);
    table.count = 0;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const TableRow<Entry> next = row(i);
    if (next.numel == 0) continue;
    const std::int64_t blocks = (next.numel + per_block - 1) / per_block;
    check(blocks <= std::numeric_limits<std::int32_t>::max() / TensorTable<Entry>::capacity, op,
          "a tensor of ", next.numel, " elements is too large");
    if (table.count == TensorTable<Entry>::capacity) flush();
    const int at = table.count++;
    table.entry[at] = next.entry;
    table.numel[at] = next.numel;
    table.aligned[at] = next.aligned;
    table.first_block[at + 1] = table.first_block[at] + static_cast<int>(blocks);
  }
  flush();
}

}  // namespace imago::kernels
