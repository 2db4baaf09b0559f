#include "kernels/engine.h"

#include "tensor/context.h"
#include "tensor/error.h"

namespace imago::kernels {

namespace {

constexpr double slow_seconds = 0.05;

}  // namespace

Engine choose_cpu_engine(const char* op, Engine asked, const CpuProblem& problem) {
  switch (asked) {
    case Engine::automatic:
      if (problem.direct) return Engine::direct;
      if (problem.reference_seconds > slow_seconds) {
        const std::string message =
            "[" + std::string(op) + "] " + problem.describe() + " in " + name_of(problem.dtype) +
            " runs on the reference engine, which is slow: direct takes " + problem.direct_takes;
        log_once(message, message);
      }
      return Engine::reference;
    case Engine::reference:
      return Engine::reference;
    case Engine::direct:
      if (!problem.direct) {
        fail(op, "engine direct cannot do ", problem.describe(), " in ", problem.dtype,
             ": direct takes ", problem.direct_takes, "; use auto or reference");
      }
      return Engine::direct;
    default:
      fail(op, "engine ", name_of(asked),
           " does not run on the CPU; use auto, direct or reference");
  }
}

}  // namespace imago::kernels
