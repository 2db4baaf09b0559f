// Splits work over CPU threads. Determinism rule: what an index computes must not depend on the
// number of threads, so work is split over outputs, or over a number of parts fixed by the problem
// whose results are merged in a fixed order.
#pragma once

#include <cstdint>
#include <exception>

#include "tensor/context.h"

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace imago {

// Elements of a cheap operation that one thread takes at a time: enough to be worth handing over.
inline constexpr std::int64_t default_grain = 32768;

// Whether this build can share work at all.
#if defined(_OPENMP)
inline constexpr bool has_threads = true;
#else
inline constexpr bool has_threads = false;
#endif

// a / b rounded up, of a >= 0 and b > 0.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

// Calls f(i) for i in [0, count) on up to num_threads() threads, contiguous ranges each. An
// exception from f is rethrown on the calling thread. Context::shared_regions counts the calls that
// more than one thread ran.
template <class F>
void parallel_for(std::int64_t count, F&& f) {
#if defined(_OPENMP)
  const auto threads = static_cast<int>(count < num_threads() ? count : num_threads());
  if (threads > 1 && !omp_in_parallel()) {
    std::exception_ptr error;
    int team = 1;  // OpenMP may grant fewer threads than asked for
#pragma omp parallel num_threads(threads)
    {
#pragma omp master
      team = omp_get_num_threads();
#pragma omp for schedule(static)
      for (std::int64_t i = 0; i < count; ++i) {
        try {
          f(i);
        } catch (...) {
#pragma omp critical(imago_parallel_for)
          error = std::current_exception();
        }
      }
    }
    if (team > 1) ++Context::current().shared_regions;
    if (error) std::rethrow_exception(error);
    return;
  }
#endif
  for (std::int64_t i = 0; i < count; ++i) f(i);
}

// Calls f(begin, end) on consecutive ranges of at most `grain` indices that cover [0, count). The
// ranges depend on count and grain only.
template <class F>
void parallel_ranges(std::int64_t count, std::int64_t grain, F&& f) {
  const std::int64_t parts = ceil_div(count, grain);
  parallel_for(parts, [&](std::int64_t part) {
    const std::int64_t begin = part * grain;
    f(begin, begin + grain < count ? begin + grain : count);
  });
}

}  // namespace imago
