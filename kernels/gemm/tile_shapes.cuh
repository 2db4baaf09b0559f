// The tiles that a product can be cut into on rung 3 (tile_plan.h chooses), and the product itself.
//
//   kind     block       slice   threads   of a thread   shared    multiply-adds to a float4 read
//   wide     128 x 128   8       256       8 x 8         16.5 KB   16
//   tall     128 x 64    16      128       8 x 8         24.5 KB   16
//   small    64 x 64     16      128       8 x 4         16.3 KB   10.7
//   slim     256 x 4     8       64        4 x 4         17.3 KB   8
//
// Blocks that one SM holds by registers, and what nvcc 13 makes of that bound for sm_90a (registers
// of a thread forward / input gradient / weight gradient; spilled bytes):
//
//   wide      2 x 8 warps   127 / 128 (60 spilled) / 125
//   tall      3 x 4 warps   168 (8 spilled) / 168 (24 spilled) / 157
//   small     4 x 4 warps   115 / 123 / 109      scalar loads: 127 / 128 (12 spilled) / 107
//   slim      6 x 2 warps   168 / 168 / 105
//
// A slice of the wide tile has 8 depths and not 16, because what waits in registers for its turn
// would not fit beside 64 sums and two blocks on an SM.
#pragma once

#include <algorithm>

#include "kernels/gemm/register_tiles.cuh"
#include "kernels/gemm/tile_plan.h"

namespace imago::kernels {

using WideTile = TileShape<128, 128, 8, 16, 16, 8, 2>;
using TallTile = TileShape<128, 64, 16, 16, 8, 8, 3>;
using SmallTile = TileShape<64, 64, 16, 8, 16, 8, 4>;
using SlimTile = TileShape<256, 4, 8, 64, 1, 1, 6>;

// Calls f.template operator()<Shape, lanes_a, lanes_b>() for the tile of a plan. A slim tile has
// too little of b for float4.
template <class F>
void with_tile(TileKind kind, F&& f) {
  switch (kind) {
    case TileKind::wide:
      return f.template operator()<WideTile, 4, 4>();
    case TileKind::tall:
      return f.template operator()<TallTile, 4, 4>();
    case TileKind::small:
      return f.template operator()<SmallTile, 4, 4>();
    case TileKind::slim:
      return f.template operator()<SlimTile, 4, 1>();
    case TileKind::scalar:
      return f.template operator()<SmallTile, 1, 1>();
  }
}

// How a launch cuts its products: blockIdx.x counts tiles of rows, blockIdx.y tiles of columns,
// blockIdx.z = batch * splits + split.
struct SplitDepth {
  int splits, stride;
  std::int64_t part;  // elements from one split's result to the next's
  bool vectors;       // rows of the sink start at 16 bytes and have a multiple of 4 columns

  __device__ int split() const { return static_cast<int>(blockIdx.z) % splits; }
  __device__ int batch() const { return static_cast<int>(blockIdx.z) / splits; }
};

// This block's tile of a * b, over its part of the depth, into its part of the sink.
template <class Shape, class A, class B, class Sink>
__device__ void product_registers(const A& a, const B& b, const Sink& sink, int depth,
                                  const SplitDepth& cut) {
  const int m0 = static_cast<int>(blockIdx.x) * Shape::m;
  const int n0 = static_cast<int>(blockIdx.y) * Shape::n;
  const int begin = cut.split() * cut.stride;
  const int end = std::min(depth, begin + cut.stride);
  place_rows<Shape>(sink, m0);
  typename Shape::Sums sums;
  multiply_registers<Shape>(a, b, m0, n0, begin, end, sums);
  store_registers<Shape>(sums, sink.out + cut.split() * cut.part, sink.columns, n0, cut.vectors);
}

}  // namespace imago::kernels
