#include "tensor/allocator.h"

#include <sys/mman.h>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tensor/error.h"

// A cached block is invisible to AddressSanitizer unless we tell it what is in use.
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define IMAGO_POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define IMAGO_UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define IMAGO_POISON(p, n) ((void)(p), (void)(n))
#define IMAGO_UNPOISON(p, n) ((void)(p), (void)(n))
#endif

namespace imago {
namespace {

constexpr std::size_t canary_bytes = 64;
constexpr unsigned char canary_byte = 0xa5;
constexpr std::size_t huge_page = std::size_t{2} << 20;

class HostMemory final : public BlockSource {
 public:
  void* acquire(std::size_t bytes) override {
    const std::size_t align = bytes >= huge_page ? huge_page : CachingAllocator::alignment;
    void* block = nullptr;
    if (posix_memalign(&block, align, bytes) != 0) return nullptr;
    if (bytes >= huge_page) madvise(block, bytes, MADV_HUGEPAGE);  // only a hint
    return block;
  }
  void release(void* block, std::size_t) override { std::free(block); }
  const char* name() const override { return "cpu"; }
};

}  // namespace

std::size_t CachingAllocator::size_class(std::size_t bytes) {
  if (bytes <= 256) return 256;
  const std::size_t step = std::bit_floor(bytes - 1) / 4;
  return (bytes + step - 1) / step * step;
}

CachingAllocator::~CachingAllocator() {
  empty_cache();
}

void* CachingAllocator::allocate(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const std::size_t rounded = size_class(bytes + (guard_ ? canary_bytes : 0));
  stats_.allocations += 1;
  void* block = nullptr;
  if (auto it = free_.find(rounded); it != free_.end() && !it->second.empty()) {
    block = it->second.back();
    it->second.pop_back();
    stats_.cached_bytes -= rounded;
    stats_.cache_hits += 1;
  } else {
    block = source_.acquire(rounded);
    const std::size_t cached = stats_.cached_bytes;
    if (!block) {
      empty_cache_locked();
      block = source_.acquire(rounded);
    }
    if (!block) {
      fail("allocate", "out of memory on ", source_.name(), ": ", bytes, " bytes requested, ",
           stats_.live_bytes, " live, ", cached,
           " cached and given back in vain; use a smaller batch or model");
    }
  }
  IMAGO_UNPOISON(block, rounded);
  stats_.live_bytes += rounded;
  if (stats_.live_bytes > stats_.peak_live_bytes) stats_.peak_live_bytes = stats_.live_bytes;
  if (guard_) {
    std::memset(block, 0xff, bytes);
    std::memset(static_cast<char*>(block) + bytes, canary_byte, canary_bytes);
  } else {
    IMAGO_POISON(static_cast<char*>(block) + bytes, rounded - bytes);
  }
  return block;
}

void CachingAllocator::deallocate(void* block, std::size_t bytes) {
  if (!block) return;
  const std::lock_guard lock(mutex_);
  const std::size_t rounded = size_class(bytes + (guard_ ? canary_bytes : 0));
  if (guard_) {
    const auto* tail = static_cast<const unsigned char*>(block) + bytes;
    for (std::size_t i = 0; i < canary_bytes; ++i) {
      if (tail[i] != canary_byte) {
        // A destructor cannot throw: an overrun ends the program where it is found.
        std::fprintf(stderr, "[allocate] a kernel wrote %zu bytes past a block of %zu bytes\n",
                     i + 1, bytes);
        std::abort();
      }
    }
  }
  IMAGO_POISON(block, rounded);
  free_[rounded].push_back(block);
  stats_.live_bytes -= rounded;
  stats_.cached_bytes += rounded;
}

void CachingAllocator::empty_cache() {
  const std::lock_guard lock(mutex_);
  empty_cache_locked();
}

void CachingAllocator::empty_cache_locked() {
  for (auto& [bytes, blocks] : free_) {
    for (void* block : blocks) {
      IMAGO_UNPOISON(block, bytes);
      source_.release(block, bytes);
    }
  }
  free_.clear();
  stats_.cached_bytes = 0;
}

AllocatorStats CachingAllocator::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void CachingAllocator::reset_peak() {
  const std::lock_guard lock(mutex_);
  stats_.peak_live_bytes = stats_.live_bytes;
}

void CachingAllocator::set_guard_mode(bool on) {
  const std::lock_guard lock(mutex_);
  check(stats_.live_bytes == 0, "allocate", "guard mode changes only while nothing is live, but ",
        stats_.live_bytes, " bytes are");
  guard_ = on;
}

CachingAllocator& cpu_allocator() {
  // Never destroyed: tensors with static lifetime may outlive any order of destruction.
  static HostMemory& memory = *new HostMemory;
  static CachingAllocator& allocator = *new CachingAllocator(memory);
  return allocator;
}

}  // namespace imago
