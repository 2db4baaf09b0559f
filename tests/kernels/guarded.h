// While it lives, new tensors come filled with NaN and end in a canary: an element that a kernel
// forgot is NaN, and a write past the end of a tensor ends the program. Declare it before the
// tensors that it shall hold.
#pragma once

#include <cstdlib>

#include "tensor/allocator.h"
#include "tensor/context.h"

namespace imago::test {

class Guarded {
 public:
  Guarded() {
    allocator_.set_guard_mode(true);
    Context::current().allocator = &allocator_;
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
  ContextScope scope_;  // last, so that the Context is restored before the allocator goes
};

}  // namespace imago::test
