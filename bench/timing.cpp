#include "bench/timing.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>

#include "kernels/peak/peak.h"
#include "tensor/device_memory.h"
#include "tensor/stream.h"
#if IMAGO_EMULATED
#include "kernels/emulator/launch_count.h"
#endif

namespace imago::bench {

namespace {

constexpr int launches_per_round = 20;
constexpr double cold_bytes = 128e6;
constexpr std::int64_t copied_bytes = std::int64_t{64}
                                      << 20;  // twice that in both: no cache has it
constexpr std::size_t most_copies = 30;       // beside one row

double seconds_of(const std::function<void()>& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void report(benchmark::State& state, const Work& work, const Ceilings& ceilings,
            std::vector<double> seconds) {
  if (seconds.empty()) return;
  std::sort(seconds.begin(), seconds.end());
  const auto quantile = [&](double q) {
    return seconds[static_cast<std::size_t>(
        std::lround(q * static_cast<double>(seconds.size() - 1)))];
  };
  const double median = quantile(0.5);
  state.counters["median_ms"] = median * 1e3;
  state.counters["p10_ms"] = quantile(0.1) * 1e3;
  state.counters["p90_ms"] = quantile(0.9) * 1e3;
  state.counters["best_ms"] = seconds.front() * 1e3;
  if (work.flops > 0) state.counters["GFLOP/s"] = work.flops / median * 1e-9;
  state.counters["GB/s"] = work.bytes / median * 1e-9;
  const double floor = ceilings.floor(work.flops, work.bytes, work.instructions);
  if (floor > 0) {
    state.counters["floor_ms"] = floor * 1e3;
    state.counters["%floor"] = 100 * floor / median;
  }
}

void time_cpu(benchmark::State& state, const Work& work) {
  const Launch launch = work.prepare(1);
  launch(0);
  std::vector<double> seconds, copies;
  std::optional<kernels::CopyProbe> copy;
  if (work.beside_copy) copy.emplace(copied_bytes);
  for (auto _ : state) {
    seconds.push_back(seconds_of([&] { benchmark::DoNotOptimize(launch(0)); }));
    state.SetIterationTime(seconds.back());
    if (copy && copies.size() < most_copies) copies.push_back(copy->seconds());
  }
  Ceilings ceilings = work.ceilings();
  if (copy && !copies.empty()) ceilings.bytes = copy->moved() / median_of(std::move(copies));
  report(state, work, ceilings, std::move(seconds));
}

// Enough sets of operands to be cold, results included.
int sets_for(const Work& work, bool hot) {
  if (hot) return 1;
  return static_cast<int>(
      std::clamp(std::ceil(cold_bytes / work.bytes), 1.0, static_cast<double>(launches_per_round)));
}

void time_gpu(benchmark::State& state, const Work& work, bool hot) {
  Stream& stream = current_stream();
  const int sets = sets_for(work, hot);
  const Launch launch = work.prepare(sets);
  launch(0);  // what is done once, such as loading the kernel
  stream.synchronize();
  // Each set has results of its own, too; they must go before the graph whose memory they are in.
  std::vector<std::vector<Tensor>> results(static_cast<std::size_t>(sets));
  Graph graph = Graph::capture(stream, [&] {
    for (int i = 0; i < launches_per_round; ++i) {
      const int set = i % sets;
      results[static_cast<std::size_t>(set)] = launch(set);
    }
  });
  graph.replay(stream);

  Event start, stop;
  std::vector<double> seconds;
  for (auto _ : state) {
    start.record(stream);
    graph.replay(stream);
    stop.record(stream);
    stop.synchronize();
    seconds.push_back(stop.milliseconds_since(start) * 1e-3 / launches_per_round);
    state.SetIterationTime(seconds.back());
  }
  results.clear();
  state.counters["sets"] = sets;
  report(state, work, work.ceilings(), std::move(seconds));
}

}  // namespace

void register_cpu(const Work& work) {
  benchmark::RegisterBenchmark(work.name.c_str(), time_cpu, work)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

void register_gpu(const Work& work, const GpuRounds& rounds) {
  benchmark::RegisterBenchmark(work.name.c_str(), time_gpu, work, rounds.hot)
      ->Iterations(rounds.rounds)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

void print_counts([[maybe_unused]] const Work& work) {
#if IMAGO_EMULATED
  const Launch launch = work.prepare(1);
  const emulator::LaunchCount before = emulator::launch_count();
  // Captured and never replayed.
  const Graph graph = Graph::capture(current_stream(), [&] { launch(0); });
  const emulator::LaunchCount after = emulator::launch_count();
  std::printf("%-40s %9.3f GFLOP %9.3f MB %4llu launches %9llu blocks", work.name.c_str(),
              work.flops * 1e-9, work.bytes * 1e-6,
              static_cast<unsigned long long>(after.launches - before.launches),
              static_cast<unsigned long long>(after.blocks - before.blocks));
  for (const GpuKind& kind : gpu_kinds) {
    const double floor = ceilings_of(kind, work.dtype).floor(work.flops, work.bytes);
    std::printf(", %s floor %.4f ms", kind.name, floor * 1e3);
  }
  std::printf("\n");
#endif
}

double measure_gpu_copy() {
  constexpr std::int64_t copy_bytes = std::int64_t{256} << 20;  // far more than any cache
  Stream& stream = current_stream();
  const Tensor from = Tensor::full({copy_bytes}, 1, DType::u8, Device::cuda());
  Tensor to = Tensor::empty({copy_bytes}, DType::u8, Device::cuda());
  Event start, stop;
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 20; ++i) {
    start.record(stream);
    copy_on_device(to.mutable_device_bytes(), from.device_bytes(), from.nbytes(), stream);
    stop.record(stream);
    stop.synchronize();
    best = std::min(best, stop.milliseconds_since(start) * 1e-3);
  }
  return 2 * static_cast<double>(from.nbytes()) / best;
}

Ceilings gpu_ceilings(DType dtype) {
  if (const GpuKind* kind = gpu_kind(describe(Device::cuda()))) return ceilings_of(*kind, dtype);
  static const double copy = measure_gpu_copy();
  return {.bytes = copy};
}

}  // namespace imago::bench
