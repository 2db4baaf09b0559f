// Device memory and copies of the CUDA runtime.
#include <cstring>
#include <vector>

#include "tensor/backend.h"
#include "tensor/cuda/runtime.h"
#include "tensor/device_memory.h"
#include "tensor/error.h"

namespace imago {
namespace {

class CudaMemory final : public BlockSource {
 public:
  void* acquire(std::size_t bytes) override {
    void* block = nullptr;
    const cudaError_t status = cudaMalloc(&block, bytes);
    if (status == cudaErrorMemoryAllocation) {
      cudaGetLastError();  // or the next call would report it again
      return nullptr;
    }
    check_cuda(status, "allocate");
    return block;
  }
  // Waits for the device. An error here belongs to earlier work and was or will be thrown there.
  void release(void* block, std::size_t) override { ignore_cuda(cudaFree(block)); }
  const char* name() const override { return "cuda:0"; }
  void set_usable(void*, std::size_t, std::size_t) override {}
  void fill(void* block, unsigned char value, std::size_t bytes) override {
    set_bytes(block, value, bytes, current_stream());
  }
  bool is_filled(const void* block, unsigned char value, std::size_t bytes) override {
    std::vector<unsigned char> host(bytes);
    copy_to_host(host.data(), block, bytes, current_stream());
    for (const unsigned char byte : host) {
      if (byte != value) return false;
    }
    return true;
  }
};

bool is_pinned(const void* host) {
  cudaPointerAttributes attributes{};
  check_cuda(cudaPointerGetAttributes(&attributes, host), "copy");
  return attributes.type == cudaMemoryTypeHost;
}

}  // namespace

BlockSource& cuda_memory() {
  static CudaMemory& memory = *new CudaMemory;
  return memory;
}

void copy_to_device(void* device, const void* host, std::size_t bytes, Stream& stream) {
  if (!is_pinned(host)) {
    cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
    check_cuda(cudaStreamIsCapturing(stream.impl().stream, &capture), "copy");
    check(capture == cudaStreamCaptureStatusNone, "copy", backend::capture_needs_pinned);
  }
  check_cuda(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, stream.impl().stream),
             "copy");
}

void copy_to_host(void* host, const void* device, std::size_t bytes, Stream& stream) {
  check_cuda(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, stream.impl().stream),
             "copy");
  // CUDA may or may not have waited for pageable memory; we always do.
  if (!is_pinned(host)) stream.synchronize();
}

void copy_on_device(void* to, const void* from, std::size_t bytes, Stream& stream) {
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream.impl().stream),
             "copy");
}

void set_bytes(void* device, unsigned char value, std::size_t bytes, Stream& stream) {
  check_cuda(cudaMemsetAsync(device, value, bytes, stream.impl().stream), "set_bytes");
}

PinnedBuffer::PinnedBuffer(std::size_t bytes) : data_(nullptr), bytes_(bytes) {
  void* data = nullptr;
  check_cuda(cudaMallocHost(&data, bytes), "pinned memory");
  data_ = static_cast<std::byte*>(data);
}

PinnedBuffer::~PinnedBuffer() {
  ignore_cuda(cudaFreeHost(data_));
}

}  // namespace imago
