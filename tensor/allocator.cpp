#include "tensor/allocator.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "tensor/error.h"
#include "tensor/observer.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
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

constexpr std::size_t largest_shown = 3;  // live blocks in the message of an exhausted source

}  // namespace

std::string readable_bytes(std::size_t bytes) {
  constexpr const char* units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  while (value >= 1024 && unit < 4) value /= 1024, ++unit;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

// A cached block is invisible to AddressSanitizer unless we tell it what is in use.
#if defined(__SANITIZE_ADDRESS__)
const bool BlockSource::sanitizer_marks_memory = true;

void BlockSource::mark_usable(void* block, std::size_t usable, std::size_t bytes) {
  __asan_unpoison_memory_region(block, bytes);
  __asan_poison_memory_region(static_cast<char*>(block) + usable, bytes - usable);
}
#else
const bool BlockSource::sanitizer_marks_memory = false;

void BlockSource::mark_usable(void*, std::size_t, std::size_t) {}
#endif

void BlockSource::fill(void* block, unsigned char value, std::size_t bytes) {
  std::memset(block, value, bytes);
}

bool BlockSource::is_filled(const void* block, unsigned char value, std::size_t bytes) {
  const auto* first = static_cast<const unsigned char*>(block);
  return std::all_of(first, first + bytes, [&](unsigned char byte) { return byte == value; });
}

std::string BlockLabel::to_string() const {
  std::ostringstream out;
  out << shape << ' ' << dtype;
  if (op) out << " of " << op;
  return out.str();
}

std::size_t CachingAllocator::size_class(std::size_t bytes) {
  if (bytes <= 256) return 256;
  const std::size_t step = std::bit_floor(bytes - 1) / 4;
  return (bytes + step - 1) / step * step;
}

std::size_t CachingAllocator::rounded(std::size_t bytes) const {
  const std::size_t whole = bytes + (guard_ ? canary_bytes : 0);
  return exact_ ? std::max<std::size_t>(whole, 1) : size_class(whole);
}

CachingAllocator::~CachingAllocator() {
  empty_cache();
}

void* CachingAllocator::allocate(std::size_t bytes, const BlockLabel& label) {
  const std::lock_guard lock(mutex_);
  const std::size_t whole = rounded(bytes);
  stats_.allocations += 1;
  void* block = nullptr;
  if (auto it = free_.find(whole); it != free_.end() && !it->second.empty()) {
    block = it->second.back();
    it->second.pop_back();
    stats_.cached_bytes -= whole;
    stats_.cache_hits += 1;
  } else {
    block = source_.acquire(whole);
    const std::size_t cached = stats_.cached_bytes;
    if (!block) {
      empty_cache_locked();
      block = source_.acquire(whole);
    }
    if (!block) fail_exhausted(bytes, label, cached);
  }
  live_.emplace(block, Live{bytes, label});
  stats_.live_bytes += whole;
  if (stats_.live_bytes > stats_.peak_live_bytes) {
    stats_.peak_live_bytes = stats_.live_bytes;
    at_peak_ = watch_peak_;
  }
  if (guard_) {
    source_.set_usable(block, whole, whole);
    source_.fill(block, 0xff, bytes);
    source_.fill(static_cast<char*>(block) + bytes, canary_byte, canary_bytes);
  }
  // A sanitizer watches the canary too: it sees reads, and writes that change nothing.
  source_.set_usable(block, bytes, whole);
  return block;
}

void CachingAllocator::fail_exhausted(std::size_t bytes, const BlockLabel& label,
                                      std::size_t cached) const {
  std::vector<const Live*> largest;
  for (const auto& [block, live] : live_) largest.push_back(&live);
  const std::size_t shown = std::min(largest_shown, largest.size());
  std::partial_sort(largest.begin(), largest.begin() + static_cast<std::ptrdiff_t>(shown),
                    largest.end(),
                    [](const Live* a, const Live* b) { return a->bytes > b->bytes; });
  std::string list;
  for (std::size_t i = 0; i < shown; ++i) {
    list += (i ? ", " : "; largest live: ") + readable_bytes(largest[i]->bytes) + " " +
            largest[i]->label.to_string();
  }
  fail("allocate", "out of memory on ", source_.name(), ": ", readable_bytes(bytes),
       " requested for ", label.to_string(), ", ", readable_bytes(stats_.live_bytes), " live, ",
       readable_bytes(cached), " cached and given back in vain", list,
       "; use a smaller batch or model");
}

bool CachingAllocator::canary_intact(const void* block, std::size_t bytes) {
  try {
    return source_.is_filled(static_cast<const char*>(block) + bytes, canary_byte, canary_bytes);
  } catch (const Error&) {
    return true;  // the device has failed, which is being told elsewhere; a destructor cannot throw
  }
}

void CachingAllocator::deallocate(void* block, std::size_t bytes) {
  if (!block) return;
  if (Observer::current()) Observer::tell([block](Observer& o) { o.memory_freed(block); });
  const std::lock_guard lock(mutex_);
  if (at_peak_) {
    peak_ = groups_locked();
    at_peak_ = false;
  }
  const std::size_t whole = rounded(bytes);
  if (guard_) source_.set_usable(block, whole, whole);
  if (guard_ && !canary_intact(block, bytes)) {
    // A destructor cannot throw: an overrun ends the program where it is found.
    std::fprintf(stderr, "[allocate] a kernel wrote past a block of %zu bytes (%s)\n", bytes,
                 live_.at(block).label.to_string().c_str());
    std::abort();
  }
  source_.set_usable(block, 0, whole);
  live_.erase(block);
  free_[whole].push_back(block);
  stats_.live_bytes -= whole;
  stats_.cached_bytes += whole;
  if (exact_) empty_cache_locked();
}

void CachingAllocator::empty_cache() {
  const std::lock_guard lock(mutex_);
  empty_cache_locked();
}

void CachingAllocator::empty_cache_locked() {
  for (auto& [bytes, blocks] : free_) {
    for (void* block : blocks) {
      source_.set_usable(block, bytes, bytes);
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
  peak_.clear();
  at_peak_ = watch_peak_;
}

std::vector<BlockGroup> CachingAllocator::groups_locked() const {
  std::map<std::string, BlockGroup> by_label;
  for (const auto& [block, live] : live_) {
    BlockGroup& group = by_label[live.label.to_string()];
    group.label = live.label;
    group.blocks += 1;
    group.bytes += live.bytes;
  }
  std::vector<BlockGroup> groups;
  for (auto& [text, group] : by_label) groups.push_back(group);
  std::stable_sort(groups.begin(), groups.end(),
                   [](const BlockGroup& a, const BlockGroup& b) { return a.bytes > b.bytes; });
  return groups;
}

std::vector<BlockGroup> CachingAllocator::live_groups() const {
  const std::lock_guard lock(mutex_);
  return groups_locked();
}

void CachingAllocator::watch_peak(bool on) {
  const std::lock_guard lock(mutex_);
  watch_peak_ = on;
  at_peak_ = on && stats_.live_bytes == stats_.peak_live_bytes;
  if (on) peak_.clear();
}

std::vector<BlockGroup> CachingAllocator::peak_groups() const {
  const std::lock_guard lock(mutex_);
  return at_peak_ ? groups_locked() : peak_;
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
