#include "nn/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tensor/error.h"

namespace imago::optim {
namespace {

// How much of a stretch of `steps` lies behind, from 0 to 1.
double progress(const char* name, std::int64_t step, std::int64_t steps) {
  check(step >= 0, name, "step must not be negative, but is ", step);
  return static_cast<double>(std::min(step, steps)) / static_cast<double>(steps);
}

void check_positive(const char* name, const char* what, std::int64_t steps) {
  check(steps > 0, name, what, " must be positive, not ", steps);
}

void check_fraction(const char* name, const char* what, double value) {
  check(value >= 0 && std::isfinite(value), name, what, " must not be negative, but is ", value);
}

}  // namespace

Schedule constant() {
  return [](std::int64_t) { return 1.0; };
}

Schedule step_decay(const StepDecayOptions& o) {
  check_positive("step_decay", "every", o.every);
  check_fraction("step_decay", "factor", o.factor);
  return [o](std::int64_t step) {
    check(step >= 0, "step_decay", "step must not be negative, but is ", step);
    return std::pow(o.factor, static_cast<double>(step / o.every));
  };
}

Schedule linear(const LinearOptions& o) {
  check_positive("linear", "steps", o.steps);
  check_fraction("linear", "end", o.end);
  return [o](std::int64_t step) { return 1 - (1 - o.end) * progress("linear", step, o.steps); };
}

Schedule cosine(const CosineOptions& o) {
  check_positive("cosine", "steps", o.steps);
  check_fraction("cosine", "floor", o.floor);
  return [o](std::int64_t step) {
    const double angle = std::numbers::pi * progress("cosine", step, o.steps);
    return o.floor + (1 - o.floor) * (1 + std::cos(angle)) / 2;
  };
}

Schedule warmup(const WarmupOptions& o, Schedule after) {
  check(o.steps >= 0, "warmup", "steps must not be negative, but is ", o.steps);
  check_fraction("warmup", "start", o.start);
  check(after != nullptr, "warmup", "there is no schedule to follow it");
  return [o, after = std::move(after)](std::int64_t step) {
    check(step >= 0, "warmup", "step must not be negative, but is ", step);
    if (step >= o.steps) return after(step - o.steps);
    return (o.start + (1 - o.start) * progress("warmup", step, o.steps)) * after(0);
  };
}

}  // namespace imago::optim
