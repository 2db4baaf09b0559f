// Learning-rate schedules: pure functions of the step.
//
//   const optim::Schedule schedule =
//       optim::warmup({.steps = 500}, optim::cosine({.steps = 20'000}));
//   for (std::int64_t step = 0; step < 20'500; ++step) {
//     opt.set_lr_factor(schedule(step));
//     ...
//     opt.step();
//   }
//
// The value is a factor of the base learning rate, the same for every group, for the update that
// follows `step` earlier ones: 0, 1, 2, ... A run that is resumed at a step goes on with the bits
// of an uninterrupted one, with nothing to store.
// Errors: a negative step; options that make no sense.
#pragma once

#include <cstdint>
#include <functional>

namespace imago::optim {

using Schedule = std::function<double(std::int64_t step)>;

// 1 for ever.
Schedule constant();

struct StepDecayOptions {
  std::int64_t every = 0;  // steps; positive
  double factor = 0.1;
};
// factor^floor(step / every).
Schedule step_decay(const StepDecayOptions& options);

struct LinearOptions {
  std::int64_t steps = 0;  // positive
  double end = 0;
};
// Straight from 1 at step 0 to `end` at step `steps`, which it keeps.
Schedule linear(const LinearOptions& options);

struct CosineOptions {
  std::int64_t steps = 0;  // positive
  double floor = 0;        // at step `steps` and ever after
};
// floor + (1 - floor) (1 + cos(pi step / steps)) / 2 (Loshchilov & Hutter 2017, arXiv 1608.03983,
// without restarts).
Schedule cosine(const CosineOptions& options);

struct WarmupOptions {
  std::int64_t steps = 0;
  double start = 0;  // the fraction at step 0
};
// Straight from `start` times the first value of `after` up to that value at step `steps`; from
// there on `after`, as if it began there (Goyal et al. 2017, arXiv 1706.02677).
Schedule warmup(const WarmupOptions& options, Schedule after);

}  // namespace imago::optim
