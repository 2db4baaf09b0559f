// The engines an op may run on, one vocabulary for all ops and devices.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "tensor/dtype.h"

namespace imago {

enum class Engine {
  automatic,    // "auto": a pure function of problem, dtype and device
  reference,    // the loop nest that is the specification, on the CPU
  direct,       // blocked SIMD on the CPU
  winograd,     // transform domain on the CPU
  naive,        // CUDA: one thread, one output
  tiled,        // CUDA: shared-memory tiles
  blocked,      // CUDA: register tiles
  tensor_core,  // CUDA: mma.sync
  wgmma,        // CUDA: Hopper
  cudnn,        // the vendor's
};

inline const char* name_of(Engine engine) {
  switch (engine) {
    case Engine::automatic:
      return "auto";
    case Engine::reference:
      return "reference";
    case Engine::direct:
      return "direct";
    case Engine::winograd:
      return "winograd";
    case Engine::naive:
      return "naive";
    case Engine::tiled:
      return "tiled";
    case Engine::blocked:
      return "blocked";
    case Engine::tensor_core:
      return "tensor_core";
    case Engine::wgmma:
      return "wgmma";
    case Engine::cudnn:
      return "cudnn";
  }
  return "?";
}

}  // namespace imago

namespace imago::kernels {

// What an op tells about a problem so that an engine can be chosen for it on the CPU.
struct CpuProblem {
  DType dtype;
  bool direct;                            // whether the direct engine can do it
  const char* direct_takes;               // what it asks for: "f32 with groups and dilation 1"
  double reference_seconds;               // how long the reference takes, to an order of magnitude
  std::function<std::string()> describe;  // its extents; called only for messages
};

// reference or direct. `automatic` takes direct where it can and else the reference, and says so
// once per op and problem where that is slow enough to be felt in a training step. Throws, naming
// `op`, when the engine asked for cannot do the problem or is none of the CPU's.
Engine choose_cpu_engine(const char* op, Engine asked, const CpuProblem& problem);

// One CUDA engine of an op.
struct CudaEngine {
  Engine engine;
  bool can;           // whether it can do the problem
  const char* takes;  // what it asks for: "f32 with groups and dilation 1"
};

// What an op tells about a problem so that an engine can be chosen for it on the GPU.
struct CudaProblem {
  DType dtype;
  double flops;
  std::function<std::string()> describe;  // its extents; called only for messages
};

// One of `engines`, which stand fastest first; one can do everything. `automatic` takes the first
// that can, and says so once per op and problem where that is not the fastest and the problem is
// large. Throws, naming `op`, when the engine asked for cannot do the problem or is not among them.
Engine choose_cuda_engine(const char* op, Engine asked, const CudaProblem& problem,
                          std::span<const CudaEngine> engines);

}  // namespace imago::kernels
