// What the parts that talk to the CUDA runtime share: tensor/cuda and kernels/cuda.
#pragma once

#include <cuda_runtime_api.h>

#include "tensor/stream.h"

namespace imago {

struct Stream::Impl {
  cudaStream_t stream = nullptr;
  bool failed = false;  // an error was thrown to the caller; CUDA repeats it for ever
};

// Throws "[what] CUDA: ..." unless the call succeeded.
void check_cuda(cudaError_t status, const char* what);

}  // namespace imago
