// Memory of the CUDA device and the ways in and out of it. Everything here takes the device to be
// there (tensor/device.h: require_device); in a build without CUDA it throws.
#pragma once

#include <cstddef>

#include "tensor/allocator.h"
#include "tensor/stream.h"

namespace imago {

// The allocator of device memory that tensors use by default; it lives as long as the program. It
// hands memory out in the order of current_stream(). With IMAGO_EXACT_ALLOCATIONS=1 in the
// environment it caches and rounds nothing, so that compute-sanitizer sees the end of every tensor
// and which of its bytes were written; slow.
CachingAllocator& cuda_allocator();

// The source behind it, for allocators of one's own. Releasing a block waits for the whole device.
BlockSource& cuda_memory();

// Copies `bytes` bytes in the order of `stream`. Host memory may be changed or freed as soon as the
// call returns, unless it is a PinnedBuffer, which is read when the stream comes to it. A copy that
// is captured into a graph reads its source at each replay: only a PinnedBuffer, which must outlive
// the graph, can be one; other memory throws.
void copy_to_device(void* device, const void* host, std::size_t bytes, Stream& stream);
// Waits until the bytes have arrived, unless `host` is a PinnedBuffer.
void copy_to_host(void* host, const void* device, std::size_t bytes, Stream& stream);
// The two ranges do not overlap.
void copy_on_device(void* to, const void* from, std::size_t bytes, Stream& stream);
// Sets every byte.
void set_bytes(void* device, unsigned char value, std::size_t bytes, Stream& stream);

// Page-locked host memory: copies from and to it run beside the host and beside kernels.
class PinnedBuffer {
 public:
  // Throws Error when the system gives no more.
  explicit PinnedBuffer(std::size_t bytes);
  // No copy may be under way.
  ~PinnedBuffer();
  PinnedBuffer(const PinnedBuffer&) = delete;
  PinnedBuffer& operator=(const PinnedBuffer&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::byte* data_;
  std::size_t bytes_;
};

}  // namespace imago
