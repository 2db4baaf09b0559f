#include "tensor/allocator_report.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "tensor/context.h"
#include "tensor/op_range.h"
#include "tensor/tensor.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

class PlainMemory final : public BlockSource {
 public:
  void* acquire(std::size_t bytes) override {
    return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
  }
  void release(void* block, std::size_t) override { std::free(block); }
  const char* name() const override { return "plain"; }
};

}  // namespace

TEST_CASE("allocator report: live blocks by label, largest first, and the rest in one line") {
  PlainMemory memory;
  CachingAllocator allocator(memory);
  const ContextScope scope;
  Context::current().allocator = &allocator;
  const auto made_by = [](const char* op, std::int64_t count) {
    const OpRange range(op, Device::cpu());
    return Tensor::empty({count}, DType::f32, Device::cpu());
  };
  CHECK(allocator_report(allocator) ==
        "plain: 0 bytes live in 0 blocks, 0 bytes cached, 0 bytes at the peak; 0.0% of 0 requests "
        "served from the cache\n");
  const Tensor a = made_by("conv2d", 1024), b = made_by("conv2d", 1024), c = made_by("tanh", 512);
  const Tensor d = Tensor::empty({64}, DType::u8, Device::cpu());
  { const Tensor e = made_by("tanh", 1024); }
  const Tensor f = made_by("tanh", 1024);
  const std::string report = allocator_report(allocator, 2);
  INFO(report);
  CHECK(contains(report, "live in 5 blocks, 0 bytes cached"));
  CHECK(contains(report, "16.7% of 6 requests served from the cache"));
  const auto first = report.find("8.0 KiB  2 x (1024,) f32 of conv2d");
  const auto second = report.find("4.0 KiB  1 x (1024,) f32 of tanh");
  CHECK(first != std::string::npos);
  CHECK(second != std::string::npos);
  CHECK(first < second);
  CHECK(contains(report, "2.1 KiB  in 2 smaller blocks"));
  CHECK(!contains(report, "at the peak:"));
}

TEST_CASE("allocator report: what was live at the peak is remembered while it is watched") {
  PlainMemory memory;
  CachingAllocator allocator(memory);
  const ContextScope scope;
  Context::current().allocator = &allocator;
  allocator.watch_peak(true);
  const Tensor kept = Tensor::empty({256}, DType::f32, Device::cpu());
  {
    const OpRange range("activation", Device::cpu());
    const Tensor large = Tensor::empty({4096}, DType::f32, Device::cpu());
    CHECK(allocator.peak_groups().size() == 2);
  }
  const Tensor later = Tensor::empty({128}, DType::f32, Device::cpu());
  const auto peak = allocator.peak_groups();
  REQUIRE(peak.size() == 2);
  CHECK(peak[0].label.to_string() == "(4096,) f32 of activation");
  CHECK(peak[0].bytes == 16384);
  CHECK(peak[1].label.to_string() == "(256,) f32");
  CHECK(allocator.live_groups().size() == 2);
  const std::string report = allocator_report(allocator);
  CHECK(contains(report, "at the peak:\n      16.0 KiB  1 x (4096,) f32 of activation\n"));
  allocator.reset_peak();
  CHECK(allocator.peak_groups().size() == 2);
  CHECK(allocator.peak_groups()[0].label.to_string() == "(256,) f32");
}
