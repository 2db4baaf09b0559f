#include "tensor/philox.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tensor/random_stream.h"

using namespace imago;

TEST_CASE("philox4x32-10 matches the known answers of its authors") {
  const PhiloxBlock zero = philox4x32(0, {{0, 0, 0, 0}});
  CHECK(zero.v[0] == 0x6627e8d5u);
  CHECK(zero.v[1] == 0xe169c58du);
  CHECK(zero.v[2] == 0xbc57ac4cu);
  CHECK(zero.v[3] == 0x9b00dbd8u);
  const PhiloxBlock ones =
      philox4x32(~0ull, {{0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu}});
  CHECK(ones.v[0] == 0x408f276du);
  CHECK(ones.v[1] == 0x41c83b0eu);
  CHECK(ones.v[2] == 0xa20bc7c6u);
  CHECK(ones.v[3] == 0x6d5451fdu);
}

TEST_CASE("portable log, sine and cosine are accurate") {
  double worst_log = 0;
  for (std::uint32_t u = 1; u != 0 && u < 0xf0000000u; u += 7'654'321u) {
    const float x = static_cast<float>(u | 1u) * 0x1p-32f;
    const double exact = std::log(static_cast<double>(x));
    worst_log =
        std::max(worst_log, std::abs(portable::log(x) - exact) / std::max(1e-3, std::abs(exact)));
  }
  CHECK(worst_log < 3e-7);
  double worst = 0;
  for (float x = -0.25f; x <= 0.25f; x += 1e-4f) {
    worst = std::max(worst, std::abs(portable::sinpi_small(x) - std::sin(M_PI * double(x))));
    worst = std::max(worst, std::abs(portable::cospi_small(x) - std::cos(M_PI * double(x))));
  }
  CHECK(worst < 5e-7);
}

TEST_CASE("normals have the moments of a standard normal") {
  const DrawKey key{42, 1, 2};
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0, cross = 0;
  const int blocks = 100'000;
  for (int b = 0; b < blocks; ++b) {
    const auto z = normal_block(key, static_cast<std::uint64_t>(b));
    cross += double(z[0]) * double(z[1]);
    for (const float v : z) {
      m1 += v;
      m2 += double(v) * v;
      m3 += std::pow(double(v), 3);
      m4 += std::pow(double(v), 4);
    }
  }
  const double n = 4.0 * blocks;
  CHECK(std::abs(m1 / n) < 0.01);
  CHECK(std::abs(m2 / n - 1) < 0.01);
  CHECK(std::abs(m3 / n) < 0.03);
  CHECK(std::abs(m4 / n - 3) < 0.06);
  CHECK(std::abs(cross / blocks) < 0.015);
}

TEST_CASE("draws with different keys differ, equal keys agree") {
  CHECK(normal_block({1, 0, 0}, 5) == normal_block({1, 0, 0}, 5));
  CHECK(normal_block({1, 0, 0}, 5) != normal_block({1, 0, 1}, 5));
  CHECK(normal_block({1, 0, 0}, 5) != normal_block({1, 1, 0}, 5));
  CHECK(normal_block({1, 0, 0}, 5) != normal_block({2, 0, 0}, 5));
}

TEST_CASE("RandomStream::below is in range and covers it") {
  RandomStream stream(7, 1, 2);
  std::vector<int> seen(10);
  for (int i = 0; i < 10'000; ++i) {
    const auto v = stream.below(10);
    REQUIRE(v < 10);
    seen[v] += 1;
  }
  for (const int count : seen) CHECK(std::abs(count - 1000) < 150);
}

TEST_CASE("a shuffle is drawn by its stream alone, one draw an item, and has every order") {
  std::vector<int> items(9), by_hand(9);
  std::iota(items.begin(), items.end(), 0);
  by_hand = items;
  RandomStream one(5, 1, 2), two(5, 1, 2);
  shuffle(items, one);
  for (std::uint32_t i = 9; i > 1; --i) std::swap(by_hand[i - 1], by_hand[two.below(i)]);
  CHECK(items == by_hand);
  CHECK(one.next() == two.next());
  std::sort(items.begin(), items.end());
  for (int i = 0; i < 9; ++i) CHECK(items[static_cast<std::size_t>(i)] == i);
  // Of three items each of the six orders comes about as often: 1000 times, give or take 29.
  std::vector<int> times(6);
  for (int k = 0; k < 6000; ++k) {
    std::vector<int> three = {0, 1, 2};
    shuffle(three, one);
    ++times[static_cast<std::size_t>(2 * three[0] + (three[1] > three[2]))];
  }
  for (const int n : times) CHECK(std::abs(n - 1000) < 150);
  std::vector<int> none, single = {7};
  shuffle(none, one);
  shuffle(single, one);
  CHECK(none.empty());
  CHECK(single == std::vector<int>{7});
}
