#include "kernels/engine.h"

#include "tensor/context.h"
#include "tensor/error.h"

namespace imago::kernels {

namespace {

constexpr double slow_seconds = 0.05;
constexpr double slow_flops = 1e9;  // of a GPU's engines but the fastest

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

Engine choose_cuda_engine(const char* op, Engine asked, const CudaProblem& problem,
                          std::span<const CudaEngine> engines) {
  std::string names = "auto";
  for (const CudaEngine& candidate : engines) {
    if (asked == Engine::automatic && candidate.can) {
      if (&candidate != &engines.front() && problem.flops > slow_flops) {
        const std::string message = "[" + std::string(op) + "] " + problem.describe() + " in " +
                                    name_of(problem.dtype) + " runs on the " +
                                    name_of(candidate.engine) +
                                    " engine, which is slow: " + name_of(engines.front().engine) +
                                    " takes " + engines.front().takes;
        log_once(message, message);
      }
      return candidate.engine;
    }
    if (asked == candidate.engine) {
      if (!candidate.can) {
        fail(op, "engine ", name_of(asked), " cannot do ", problem.describe(), " in ",
             problem.dtype, ": it takes ", candidate.takes, "; use auto");
      }
      return asked;
    }
    names += std::string(", ") + name_of(candidate.engine);
  }
  fail(op, "engine ", name_of(asked), " does not run on CUDA here; use one of ", names);
}

}  // namespace imago::kernels
