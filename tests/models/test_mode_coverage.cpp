#include <doctest/doctest.h>

#include <vector>

#include "models/mode_coverage.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

// Rows of two attributes, each a number of times.
struct Some {
  std::int64_t a, b, times;
};

Tensor rows(const std::vector<Some>& all) {
  std::vector<std::int64_t> values;
  for (const Some& s : all) {
    for (std::int64_t i = 0; i < s.times; ++i) values.insert(values.end(), {s.a, s.b});
  }
  return Tensor::from<std::int64_t>(values, {static_cast<std::int64_t>(values.size()) / 2, 2});
}

}  // namespace

TEST_CASE("mode coverage by hand") {
  const Tensor real = rows({{0, 0, 6}, {0, 1, 5}, {1, 0, 3}});
  const Tensor fake = rows({{0, 0, 4}, {1, 1, 2}, {1, 0, 4}});
  const ModeCoverage c = mode_coverage(fake, real);
  CHECK(c.modes == 2);  // (1, 0) has only three reals
  CHECK(c.covered == 1);
  CHECK(c.mass == 6.0 / 11);
  CHECK(c.invented == 0.2);
  CHECK(c.difference == doctest::Approx((0.4 - 6.0 / 14 < 0 ? 6.0 / 14 - 0.4 : 0) / 2 +
                                        5.0 / 14 / 2 + (0.4 - 3.0 / 14) / 2 + 0.2 / 2)
                            .epsilon(1e-12));
  REQUIRE(c.missing.size() == 1);
  CHECK(c.missing[0] == Mode{{0, 1}, 5, 0});

  const ModeCoverage all = mode_coverage(real, real, 1);
  CHECK(all.modes == 3);
  CHECK(all.covered == 3);
  CHECK(all.mass == 1);
  CHECK(all.difference == 0);
  CHECK(all.invented == 0);
  CHECK(all.missing.empty());

  // Of several missing modes the commonest come first, equal ones by their values.
  const ModeCoverage none = mode_coverage(rows({{7, 7, 1}}), real, 3);
  REQUIRE(none.missing.size() == 3);
  CHECK(none.missing[0].real == 6);
  CHECK(none.missing[2].values == std::vector<std::int64_t>{1, 0});
  CHECK(none.mass == 0);
  CHECK(none.difference == doctest::Approx(1));
}

TEST_CASE("attributes are selected by column") {
  const Tensor x = Tensor::from<std::int64_t>({1, 2, 3, 4, 5, 6}, {2, 3});
  const Tensor y = select_attributes(x, {2, 0});
  CHECK(same_bits(y, Tensor::from<std::int64_t>({3, 1, 6, 4}, {2, 2})));
  CHECK(contains(error_of([&] { select_attributes(x, {3}); }), "no attribute 3"));
  CHECK(contains(error_of([&] { select_attributes(x, {}); }), "no attribute"));
  CHECK(contains(error_of([&] { mode_coverage(x, y); }), "same attributes"));
  CHECK(contains(error_of([&] { mode_coverage(Tensor::zeros({2, 3}), x); }), "i64"));
  CHECK(contains(error_of([&] { mode_coverage(x, Tensor()); }), "undefined"));
}
