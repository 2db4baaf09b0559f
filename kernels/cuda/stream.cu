// Streams and error checks of the CUDA runtime.
#include <cstdio>
#include <cstdlib>

#include "kernels/launch.h"

namespace imago {

Stream::Stream() : impl_(std::make_unique<Impl>()) {
  kernels::check_cuda(cudaStreamCreateWithFlags(&impl_->stream, cudaStreamNonBlocking), "stream");
}

Stream::~Stream() {
  cudaError_t status = cudaStreamSynchronize(impl_->stream);
  if (status == cudaSuccess) status = cudaStreamDestroy(impl_->stream);
  if (status == cudaSuccess || impl_->failed) return;
  std::fprintf(stderr, "[stream] CUDA: %s, in work that nobody waited for\n",
               cudaGetErrorString(status));
  std::abort();
}

void Stream::synchronize() {
  const cudaError_t status = cudaStreamSynchronize(impl_->stream);
  impl_->failed = status != cudaSuccess;
  kernels::check_cuda(status, "stream");
}

void kernels::check_cuda(cudaError_t status, const char* what) {
  check(status == cudaSuccess, what, "CUDA: ", cudaGetErrorString(status));
}

}  // namespace imago
