// The engines an op may run on, one vocabulary for all ops and devices.
#pragma once

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
