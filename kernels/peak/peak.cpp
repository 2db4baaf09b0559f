#include "kernels/peak/peak.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/parallel.h"
#include "kernels/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/peak/peak.cpp"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr int chains = 12;  // more than latency times throughput, fewer than the registers

// `count` steps of `chains` independent fused multiply-adds; returns the number of operations.
double burn(std::int64_t count, float* sink) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<float> d;
  hn::Vec<decltype(d)> sums[chains];
#pragma GCC unroll 16
  for (int i = 0; i < chains; ++i) sums[i] = hn::Set(d, static_cast<float>(i));
  const auto a = hn::Set(d, 0.999f), b = hn::Set(d, 0.001f);
  for (std::int64_t step = 0; step < count; ++step) {
#pragma GCC unroll 16
    for (int i = 0; i < chains; ++i) sums[i] = hn::MulAdd(a, sums[i], b);
  }
  auto total = sums[0];
  for (int i = 1; i < chains; ++i) total = hn::Add(total, sums[i]);
  *sink += hn::GetLane(total);
  return 2.0 * chains * static_cast<double>(hn::Lanes(d)) * static_cast<double>(count);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace imago::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(burn);

double measure_fma_peak(int threads) {
  using Clock = std::chrono::steady_clock;
  struct alignas(64) Slot {
    double flops = 0;
    float sink = 0;
  };
  std::vector<Slot> slots(static_cast<std::size_t>(threads));
  double best = 0;
  for (int burst = 0; burst < 5; ++burst) {
    const auto start = Clock::now();
    parallel_for(threads, [&](std::int64_t t) {
      Slot& slot = slots[static_cast<std::size_t>(t)];
      slot.flops = HWY_DYNAMIC_DISPATCH(burn)(2'000'000, &slot.sink);
    });
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    double flops = 0;
    for (const Slot& slot : slots) flops += slot.flops;
    best = std::max(best, flops / seconds * 1e-9);
  }
  return best;
}

CopyProbe::CopyProbe(std::int64_t bytes)
    : from_(Tensor::full({bytes}, 0, DType::u8, Device::cpu())),
      to_(Tensor::full({bytes}, 0, DType::u8, Device::cpu())) {}

double CopyProbe::seconds() {
  using Clock = std::chrono::steady_clock;
  std::byte* out = to_.mutable_bytes();
  const std::byte* in = from_.bytes();
  const auto start = Clock::now();
  parallel_ranges(from_.numel(), 131072, [&](std::int64_t begin, std::int64_t end) {
    std::memcpy(out + begin, in + begin, static_cast<std::size_t>(end - begin));
  });
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double measure_copy(std::int64_t bytes) {
  CopyProbe probe(bytes);
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 10; ++i) best = std::min(best, probe.seconds());
  return probe.moved() / best;
}

}  // namespace imago::kernels
#endif
