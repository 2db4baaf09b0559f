// Owned memory with a version counter. Tensors that share a storage share its version.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tensor/allocator.h"
#include "tensor/device.h"

namespace imago {

class Storage {
 public:
  Storage(std::size_t bytes, Device device, CachingAllocator& allocator, const BlockLabel& label)
      : allocator_(allocator),
        bytes_(bytes),
        device_(device),
        data_(static_cast<std::byte*>(allocator.allocate(bytes, label))) {}
  ~Storage() { allocator_.deallocate(data_, bytes_); }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  Device device() const { return device_; }

  // Counts writes. A value saved for the backward pass remembers the version it was saved at, so
  // that using it after an in-place change is an error and not a wrong gradient.
  std::uint64_t version() const { return version_.load(std::memory_order_relaxed); }
  void bump_version() { version_.fetch_add(1, std::memory_order_relaxed); }

 private:
  CachingAllocator& allocator_;
  std::size_t bytes_;
  Device device_;
  std::byte* data_;
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace imago
