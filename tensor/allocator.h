// A caching allocator: freed blocks go to a free list of their size class and are handed out again
// without asking the system. On the CPU this saves the page faults that are a large part of a
// training step; on a GPU it saves the synchronising cudaFree.
//
// The bucket logic does not know the device: a BlockSource supplies and takes back raw memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace imago {

// Raw memory of one device. What is done to it by default suits memory of the host; a device does
// the same in the order of its stream.
class BlockSource {
 public:
  // Whether a sanitizer in this build knows which memory may be touched.
  static const bool sanitizer_marks_memory;

  virtual ~BlockSource() = default;
  virtual void* acquire(std::size_t bytes) = 0;  // nullptr when there is none left
  virtual void release(void* block, std::size_t bytes) = 0;
  virtual const char* name() const = 0;

  // From now on the first `usable` of the block's `bytes` bytes may be touched, the rest may not.
  virtual void set_usable(void* block, std::size_t usable, std::size_t bytes) {
    mark_usable(block, usable, bytes);
  }
  virtual void fill(void* block, unsigned char value, std::size_t bytes);
  virtual bool is_filled(const void* block, unsigned char value, std::size_t bytes);

 protected:
  static void mark_usable(void* block, std::size_t usable, std::size_t bytes);
};

// What a block was allocated for, for messages.
struct BlockLabel {
  Shape shape;
  DType dtype = DType::u8;
  const char* op = nullptr;  // the operation that asked, or nullptr

  std::string to_string() const;  // "(128, 32, 32, 64) f32 of conv2d"
};

// Live blocks that share a label.
struct BlockGroup {
  BlockLabel label;
  std::size_t blocks = 0;
  std::size_t bytes = 0;  // as asked for
};

// "2.5 GiB"
std::string readable_bytes(std::size_t bytes);

struct AllocatorStats {
  std::size_t live_bytes = 0;       // held by tensors, as rounded up to size classes
  std::size_t peak_live_bytes = 0;  // highest live_bytes so far
  std::size_t cached_bytes = 0;     // free, kept for reuse
  std::uint64_t allocations = 0;    // calls to allocate
  std::uint64_t cache_hits = 0;     // of these, served from the cache
};

// Thread-safe: loader workers and the training thread share one.
class CachingAllocator {
 public:
  static constexpr std::size_t alignment = 64;

  // With `exact`, for tools that watch device memory, nothing is cached or rounded: every block
  // comes from the source with the size asked for.
  explicit CachingAllocator(BlockSource& source, bool exact = false)
      : source_(source), exact_(exact) {}
  ~CachingAllocator();
  CachingAllocator(const CachingAllocator&) = delete;
  CachingAllocator& operator=(const CachingAllocator&) = delete;

  // Memory for `bytes` bytes, aligned to 64. When the source is exhausted the cache is given back
  // and the request tried once more; then Error names the request, the live and the cached bytes
  // and the largest live blocks.
  void* allocate(std::size_t bytes, const BlockLabel& label = {});
  void deallocate(void* block, std::size_t bytes);

  // Gives every cached block back to the source.
  void empty_cache();
  AllocatorStats stats() const;
  void reset_peak();
  const char* name() const { return source_.name(); }

  // What is live now, the largest groups first.
  std::vector<BlockGroup> live_groups() const;
  // While on, what is live at the peak is remembered for peak_groups(): a copy of all labels at
  // each new peak, so there is a cost until the peak is reached. Empty when it was never on.
  void watch_peak(bool on);
  std::vector<BlockGroup> peak_groups() const;

  // In guard mode (for tests) a new block is filled with 0xff, which is NaN in every floating type,
  // and ends in a canary that deallocate verifies. Switch it only while nothing is live.
  void set_guard_mode(bool on);

  // The size class of a request: four classes for each doubling, so at most a quarter is wasted.
  static std::size_t size_class(std::size_t bytes);

 private:
  struct Live {
    std::size_t bytes;
    BlockLabel label;
  };

  std::size_t rounded(std::size_t bytes) const;
  std::vector<BlockGroup> groups_locked() const;
  bool canary_intact(const void* block, std::size_t bytes);
  void empty_cache_locked();
  [[noreturn]] void fail_exhausted(std::size_t bytes, const BlockLabel& label,
                                   std::size_t cached) const;

  BlockSource& source_;
  mutable std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> free_;
  std::unordered_map<const void*, Live> live_;
  AllocatorStats stats_;
  bool guard_ = false;
  bool watch_peak_ = false;
  bool at_peak_ = false;  // watched, and nothing was given back since the newest peak
  std::vector<BlockGroup> peak_;
  const bool exact_;
};

// The allocator of host memory that tensors use by default.
CachingAllocator& cpu_allocator();

}  // namespace imago
