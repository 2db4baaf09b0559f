#include "nn/schedule.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

TEST_CASE("schedules: known values") {
  CHECK(optim::constant()(0) == 1);
  CHECK(optim::constant()(1'000'000'000'000) == 1);
  const auto steps = optim::step_decay({.every = 10, .factor = 0.5});
  CHECK(steps(0) == 1);
  CHECK(steps(9) == 1);
  CHECK(steps(10) == 0.5);
  CHECK(steps(39) == 0.125);
  const auto line = optim::linear({.steps = 8, .end = 0.5});
  CHECK(line(0) == 1);
  CHECK(line(4) == 0.75);
  CHECK(line(8) == 0.5);
  CHECK(line(9) == 0.5);
  const auto wave = optim::cosine({.steps = 100, .floor = 0.25});
  CHECK(wave(0) == 1);
  CHECK(std::abs(wave(50) - 0.625) <= 1e-15);
  CHECK(wave(100) == 0.25);
  CHECK(wave(1000) == 0.25);
  CHECK(optim::cosine({.steps = 100})(100) == 0);
}

TEST_CASE("schedules: a warm-up goes before any of them") {
  const auto late = optim::warmup({.steps = 4}, optim::step_decay({.every = 2, .factor = 0.5}));
  const double want[] = {0, 0.25, 0.5, 0.75, 1, 1, 0.5, 0.5, 0.25};
  for (int step = 0; step < 9; ++step) CHECK(late(step) == want[step]);
  const auto none = optim::warmup({.steps = 0}, optim::linear({.steps = 2}));
  CHECK(none(0) == 1);
  CHECK(none(1) == 0.5);
  // Twice: a slow start of a slow start.
  const auto twice = optim::warmup({.steps = 2, .start = 0.5},
                                   optim::warmup({.steps = 2, .start = 0.5}, optim::constant()));
  CHECK(twice(0) == 0.25);
  CHECK(twice(1) == 0.375);
  CHECK(twice(2) == 0.5);
  CHECK(twice(3) == 0.75);
  CHECK(twice(4) == 1);
}

TEST_CASE("schedules: what they refuse") {
  CHECK(contains(error_of([] { optim::step_decay({}); }), "[step_decay] every must be positive"));
  CHECK(contains(error_of([] { optim::cosine({}); }), "[cosine] steps must be positive"));
  CHECK(contains(error_of([] { optim::linear({.steps = -1}); }), "[linear] steps"));
  CHECK(contains(error_of([] { optim::cosine({.steps = 1, .floor = std::nan("")}); }), "floor"));
  CHECK(contains(error_of([] { optim::warmup({.steps = -1}, optim::constant()); }), "[warmup]"));
  CHECK(contains(error_of([] { optim::warmup({.steps = 1}, nullptr); }), "no schedule"));
  CHECK(contains(error_of([] { optim::cosine({.steps = 5})(-1); }), "step must not be negative"));
  CHECK(
      contains(error_of([] { optim::step_decay({.every = 5})(-1); }), "step must not be negative"));
}
