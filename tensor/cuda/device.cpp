// The device itself: is it there, what is it called; and ranges for profilers.
#include <nvtx3/nvToolsExt.h>

#include <atomic>
#include <cstdio>

#include "tensor/backend.h"
#include "tensor/cuda/runtime.h"
#include "tensor/error.h"

namespace imago {
namespace {

std::string ask_for_device() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) {
    cudaGetLastError();
    return std::string("no usable CUDA device: ") + cudaGetErrorString(status) +
           "; is there a GPU, and is its driver new enough?";
  }
  if (count == 0) return "no usable CUDA device; is CUDA_VISIBLE_DEVICES set to an empty list?";
  int major = 0;
  ignore_cuda(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0));
  return major >= 8 ? ""
                    : "no usable CUDA device: the kernels need compute capability 8.0, and this "
                      "GPU has " +
                          std::to_string(major) + ".x";
}

std::atomic<bool> failed{false};

// CUDA numbers its versions 1000 major + 10 minor.
std::string version_text(int number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

}  // namespace

const bool backend::emulated = false;

const std::string& backend::why_no_device() {
  static const std::string& why = *new std::string(ask_for_device());
  return why;
}

std::string backend::device_name() {
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, 0), "device");
  char memory[32];
  std::snprintf(memory, sizeof memory, "%.1f GiB",
                static_cast<double>(properties.totalGlobalMem) / (1024.0 * 1024 * 1024));
  return std::string(properties.name) + ", " + memory;
}

std::string backend::driver_versions() {
  int driver = 0, runtime = 0;
  check_cuda(cudaDriverGetVersion(&driver), "device");
  check_cuda(cudaRuntimeGetVersion(&runtime), "device");
  return "CUDA driver " + version_text(driver) + ", runtime " + version_text(runtime);
}

void backend::push_range(const char* name) {
  nvtxRangePushA(name);
}

void backend::pop_range() {
  nvtxRangePop();
}

void check_cuda(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  ignore_cuda(status);
  failed = true;
  fail(what, "CUDA: ", cudaGetErrorString(status));
}

void ignore_cuda(cudaError_t status) {
  if (status != cudaSuccess) cudaGetLastError();
}

bool cuda_has_failed() {
  return failed;
}

}  // namespace imago
