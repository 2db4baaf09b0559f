// While it lives, new tensors come filled with NaN and end in a canary: an element that a kernel
// forgot is NaN, and a write past the end of a tensor ends the program. Declare it before the
// tensors that it shall hold.
#pragma once

#include <cstdlib>
#include <memory>

#include "tensor/allocator.h"
#include "tensor/context.h"
#include "tensor/device_memory.h"

namespace imago::test {

class Guarded {
 public:
  Guarded() {
    allocator_.set_guard_mode(true);
    Context::current().allocator = &allocator_;
    // Tools that watch device memory must not take the NaN for the kernel's own writes.
    if (cuda_available() && !std::getenv("IMAGO_EXACT_ALLOCATIONS")) {
      device_allocator_ = std::make_unique<CachingAllocator>(cuda_memory());
      device_allocator_->set_guard_mode(true);
      Context::current().device_allocator = device_allocator_.get();
    }
  }

 private:
  class Memory final : public BlockSource {
   public:
    void* acquire(std::size_t bytes) override {
      return std::aligned_alloc(CachingAllocator::alignment, bytes);
    }
    void release(void* block, std::size_t) override { std::free(block); }
    const char* name() const override { return "guarded memory"; }
  };

  Memory memory_;
  CachingAllocator allocator_{memory_};
  std::unique_ptr<CachingAllocator> device_allocator_;  // where there is a device
  ContextScope scope_;  // last, so that the Context is restored before the allocator goes
};

}  // namespace imago::test
