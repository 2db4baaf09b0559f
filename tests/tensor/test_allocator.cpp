#include "tensor/allocator.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "tensor/error.h"

using namespace imago;

namespace {

// A source with a limit, so that running out can be tested.
class Limited final : public BlockSource {
 public:
  explicit Limited(std::size_t limit) : left(limit) {}
  void* acquire(std::size_t bytes) override {
    if (bytes > left) return nullptr;
    left -= bytes;
    return std::aligned_alloc(64, bytes);
  }
  void release(void* block, std::size_t bytes) override {
    left += bytes;
    std::free(block);
  }
  const char* name() const override { return "test"; }
  std::size_t left;
};

}  // namespace

TEST_CASE("size classes waste at most a quarter and are multiples of the alignment") {
  for (std::size_t n = 1; n < 100'000; n += 37) {
    const std::size_t c = CachingAllocator::size_class(n);
    CHECK(c >= n);
    CHECK(c % CachingAllocator::alignment == 0);
    if (n > 256) CHECK(c <= n + n / 4 + 1);
    CHECK(CachingAllocator::size_class(c) == c);
  }
}

TEST_CASE("a freed block is reused and the statistics say so") {
  Limited source(1 << 20);
  CachingAllocator allocator(source);
  void* a = allocator.allocate(1000);
  CHECK(allocator.stats().live_bytes == 1024);
  allocator.deallocate(a, 1000);
  CHECK(allocator.stats().cached_bytes == 1024);
  void* b = allocator.allocate(900);
  CHECK(b == a);
  CHECK(allocator.stats().cache_hits == 1);
  CHECK(allocator.stats().allocations == 2);
  CHECK(allocator.stats().peak_live_bytes == 1024);
  allocator.deallocate(b, 900);
  allocator.empty_cache();
  CHECK(source.left == 1 << 20);
}

TEST_CASE("an exhausted source gives the cache back before failing") {
  Limited source(4096);
  CachingAllocator allocator(source);
  void* a = allocator.allocate(2048);
  allocator.deallocate(a, 2048);
  // Only fits once the cached block is released.
  void* b = allocator.allocate(4096, {{32, 32}, DType::f32, nullptr});
  CHECK(b != nullptr);
  CHECK_THROWS_WITH_AS(
      allocator.allocate(10, {{2, 5}, DType::u8, "conv2d"}),
      "[allocate] out of memory on test: 10 bytes requested for (2, 5) u8 of conv2d, 4.0 KiB live, "
      "0 bytes cached and given back in vain; largest live: 4.0 KiB (32, 32) f32; use a smaller "
      "batch or model",
      Error);
  allocator.deallocate(b, 4096);
  CHECK_THROWS_WITH_AS(
      allocator.allocate(8192, {{8192}, DType::u8, nullptr}),
      "[allocate] out of memory on test: 8.0 KiB requested for (8192,) u8, 0 bytes live, 4.0 KiB "
      "cached and given back in vain; use a smaller batch or model",
      Error);
  CHECK(allocator.stats().cached_bytes == 0);
}
