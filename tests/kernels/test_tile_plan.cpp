#include "kernels/gemm/tile_plan.h"

#include <doctest/doctest.h>

#include "kernels/conv2d/cases.h"
#include "kernels/divisor.h"
#include "tensor/random_stream.h"

using namespace imago;
using namespace imago::kernels;

TEST_CASE("a divisor divides exactly") {
  const std::int64_t largest = (std::int64_t{1} << 31) - 1;
  RandomStream stream(1);
  const auto draw = [&](std::int64_t below) {
    return static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(below)));
  };
  std::vector<std::int64_t> divisors{largest, largest - 1, 1 << 30, (1 << 30) + 1, (1 << 30) - 1};
  for (std::int64_t d = 1; d <= 300; ++d) divisors.push_back(d);
  for (int i = 0; i < 200; ++i) divisors.push_back(1 + draw(largest));
  for (const std::int64_t d : divisors) {
    CAPTURE(d);
    const Divisor divisor(d);
    const auto check = [&](std::int64_t n) {
      if (n < 0 || n > largest) return;
      CAPTURE(n);
      REQUIRE(divisor.divide(static_cast<int>(n)) == n / d);
    };
    for (std::int64_t n = 0; n < 50; ++n) check(n), check(largest - n);
    for (int i = 0; i < 100; ++i) {
      // The largest errors are next to multiples.
      const std::int64_t multiple = draw(largest / d + 1) * d;
      check(multiple - 1), check(multiple), check(multiple + 1);
    }
  }
  CHECK(Divisor(0).value == 0);
  CHECK(Divisor(0).divide(5) == 5);
}

TEST_CASE("tile plans: the parts of a depth cover it, each long enough") {
  RandomStream stream(2);
  const auto draw = [&](std::uint64_t below) {
    return 1 + static_cast<std::int64_t>(stream.below(below));
  };
  for (int i = 0; i < 2000; ++i) {
    const ProductExtents p{draw(5000), draw(i % 3 ? 5000 : 9), draw(i % 2 ? 200000 : 300), draw(4)};
    CAPTURE(p.m);
    CAPTURE(p.n);
    CAPTURE(p.depth);
    const TilePlan plan = plan_tiles(p, i % 5 != 0, i % 7 != 0);
    CHECK(plan.stride % 16 == 0);
    CHECK(plan.splits * plan.stride >= p.depth);
    CHECK((plan.splits - 1) * plan.stride < p.depth);
    if (plan.splits > 1) CHECK(plan.stride >= 128);
    const TileExtents tile = extents_of(plan.tile);
    const std::int64_t blocks = tiles_over(p.m, tile.m) * tiles_over(p.n, tile.n) * p.batches;
    if (plan.splits > 1) CHECK(plan.splits * blocks <= 4 * 132);
  }
}

TEST_CASE("tile plans: the layers of DCGAN at batch 128 fill a large GPU") {
  const auto plan = [](std::int64_t m, std::int64_t n, std::int64_t depth, std::int64_t batches = 1,
                       bool vectors = true) {
    return plan_tiles({m, n, depth, batches}, vectors, vectors);
  };
  const auto is = [](const TilePlan& p, TileKind tile, int splits) {
    return p.tile == tile && p.splits == splits;
  };
  // Forward: pixels, filters, terms.
  CHECK(is(plan(131072, 64, 48, 1, false), TileKind::scalar, 1));
  CHECK(is(plan(32768, 128, 1024), TileKind::wide, 1));
  CHECK(is(plan(8192, 256, 2048), TileKind::tall, 1));
  CHECK(is(plan(2048, 512, 4096), TileKind::tall, 2));
  CHECK(is(plan(128, 1, 8192), TileKind::slim, 64));
  // Input gradient: pixels of a phase, channels, terms of a phase, phases.
  CHECK(is(plan(131072, 3, 256, 4), TileKind::slim, 1));
  CHECK(is(plan(32768, 64, 512, 4), TileKind::tall, 1));
  CHECK(is(plan(8192, 128, 1024, 4), TileKind::wide, 1));
  CHECK(is(plan(2048, 256, 2048, 4), TileKind::tall, 1));
  CHECK(is(plan(128, 8192, 1), TileKind::tall, 1));
  // Weight gradient: filters, weights of a filter, pixels.
  CHECK(is(plan(64, 48, 131072, 1, false), TileKind::scalar, 512));
  CHECK(is(plan(128, 1024, 32768), TileKind::tall, 16));
  CHECK(is(plan(256, 2048, 8192), TileKind::tall, 4));
  CHECK(is(plan(512, 4096, 2048), TileKind::tall, 1));
  CHECK(is(plan(1, 8192, 128), TileKind::small, 1));
}
