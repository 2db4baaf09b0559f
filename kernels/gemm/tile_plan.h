// Which tile a product is cut into on rung 3, and into how many parts its depth is split. A pure
// function of the product's extents; the figures behind it are predictions for an H200 (132 SMs),
// not yet run on hardware.
#pragma once

#include <algorithm>
#include <cstdint>

namespace imago::kernels {

enum class TileKind {
  wide,    // 128 x 128
  tall,    // 128 x 64
  small,   // 64 x 64
  slim,    // 256 x 4: results of up to 4 columns, the image end of a network
  scalar,  // 64 x 64, with loads of one element: operands that float4 cannot read
};

// `batches` products out[m, n] = sum over k < depth of a[m, k] * b[k, n], in one launch.
struct ProductExtents {
  std::int64_t m, n, depth, batches = 1;
};

struct TilePlan {
  TileKind tile;
  int splits;           // parts of the depth that different blocks sum
  std::int64_t stride;  // depths of a part, a multiple of 16; the last part may have fewer
};

inline std::int64_t tiles_over(std::int64_t extent, std::int64_t tile) {
  return (extent + tile - 1) / tile;
}

// m and n of a tile.
struct TileExtents {
  std::int64_t m, n;
};
inline TileExtents extents_of(TileKind kind) {
  switch (kind) {
    case TileKind::wide:
      return {128, 128};
    case TileKind::tall:
      return {128, 64};
    case TileKind::small:
    case TileKind::scalar:
      return {64, 64};
    case TileKind::slim:
      return {256, 4};
  }
  return {};
}

// `vectors_a`, `vectors_b`: whether the operand's extents allow loads of four elements. The order
// of a sum follows from `splits` alone, so that a caller whose pointers turn out to be misaligned
// may take TileKind::scalar with the same splits and get the same bits.
inline TilePlan plan_tiles(const ProductExtents& p, bool vectors_a, bool vectors_b) {
  constexpr std::int64_t sms = 132, least_depth = 128;
  const auto blocks = [&](TileKind kind) {
    const TileExtents tile = extents_of(kind);
    return tiles_over(p.m, tile.m) * tiles_over(p.n, tile.n) * p.batches;
  };
  TilePlan plan{};
  if (p.n <= 4 && vectors_a) {
    plan.tile = TileKind::slim;
  } else if (!vectors_a || !vectors_b) {
    plan.tile = TileKind::scalar;
  } else if (p.m <= 64) {
    plan.tile = TileKind::small;
  } else {
    // The wide tile moves the fewest bytes, but it must leave no SM without a block.
    const bool wide = p.n > 64 && blocks(TileKind::wide) >= sms;
    plan.tile = wide ? TileKind::wide : TileKind::tall;
  }
  // Two blocks an SM, four of the small ones, hide each other's waits. What is missing comes from
  // splitting the depth, into parts that are long against a block's first loads and last stores.
  const bool large = plan.tile == TileKind::wide || plan.tile == TileKind::tall;
  const std::int64_t wanted = (large ? 2 : 4) * sms / blocks(plan.tile);
  const std::int64_t splits = std::max<std::int64_t>(1, std::min(wanted, p.depth / least_depth));
  plan.stride = std::max<std::int64_t>(1, tiles_over(tiles_over(p.depth, splits), 16)) * 16;
  plan.splits = static_cast<int>(std::max<std::int64_t>(1, tiles_over(p.depth, plan.stride)));
  return plan;
}

}  // namespace imago::kernels
