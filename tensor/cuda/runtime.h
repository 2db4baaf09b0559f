// What the parts that talk to the CUDA runtime share: tensor/cuda and kernels/cuda.
#pragma once

#include <cuda_runtime_api.h>

#include "tensor/stream.h"

namespace imago {

struct Stream::Impl {
  cudaStream_t stream = nullptr;
};

// Throws "[what] CUDA: ..." unless the call succeeded.
void check_cuda(cudaError_t status, const char* what);

// For calls that cannot throw: forgets the error, or CUDA would give it to the next launch.
void ignore_cuda(cudaError_t status);

// Whether check_cuda has ever thrown. A kernel's fault comes back from every later call.
bool cuda_has_failed();

}  // namespace imago
