// Times the three passes of conv2d on the layers of DCGAN, or on one problem, after verifying each
// engine against the reference.
//
//   bench_conv [--problem n128h32w32c64k128r4s4u2v2p1] [--batch 128] [--threads 2]
//              [--engine direct]... [--benchmark_out=FILE --benchmark_out_format=json]...
//
// For each row: the mean time, and from the best time of the row GFLOP/s and the per cent of the
// multiply-add peak measured next to it. Flags of Google Benchmark pass through.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "bench/conv_check.h"
#include "bench/peak.h"
#include "tensor/context.h"
#include "tensor/error.h"

using namespace imago;
using kernels::Conv2dCase;
using kernels::Conv2dPass;

namespace {

struct Options {
  std::string problem;
  std::vector<Engine> engines;
  int batch = 128;
  int threads = 0;
  bool inject_error = false;  // not in the usage: proves that verification can fail
};

int positive(const std::string& flag, const std::string& value) {
  std::size_t used = 0;
  int number = 0;
  try {
    number = std::stoi(value, &used);
  } catch (const std::exception&) {
  }
  check(number > 0 && used == value.size(), "bench_conv", flag, " takes a positive number, not '",
        value, "'");
  return number;
}

Engine engine_of(const std::string& name) {
  for (int e = 0; e <= static_cast<int>(Engine::cudnn); ++e) {
    if (name == name_of(static_cast<Engine>(e))) return static_cast<Engine>(e);
  }
  fail("bench_conv", "'", name, "' is no engine");
}

// Takes our flags out of argv and leaves the rest.
Options parse(int& argc, char** argv) {
  Options options;
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    std::string flag = argv[i], value;
    const std::size_t equals = flag.find('=');
    const std::string name = flag.substr(0, equals);
    if (name == "--inject-error") {
      options.inject_error = true;
      continue;
    }
    if (name != "--problem" && name != "--batch" && name != "--threads" && name != "--engine") {
      argv[kept++] = argv[i];
      continue;
    }
    if (equals != std::string::npos) {
      value = flag.substr(equals + 1);
    } else {
      check(i + 1 < argc, "bench_conv", name, " takes a value");
      value = argv[++i];
    }
    if (name == "--problem") options.problem = value;
    if (name == "--batch") options.batch = positive(name, value);
    if (name == "--threads") options.threads = positive(name, value);
    if (name == "--engine") options.engines.push_back(engine_of(value));
  }
  argc = kept;
  if (options.engines.empty()) options.engines = {Engine::automatic};
  return options;
}

void time_pass(benchmark::State& state, Conv2dPass pass, const Conv2dCase& c, Engine engine) {
  using Clock = std::chrono::steady_clock;
  const bench::ConvOperands operands = bench::integer_operands(c);
  bench::run_pass(pass, c, operands, engine);
  const double peak = bench::measure_fma_peak(num_threads());
  double best = std::numeric_limits<double>::infinity();
  for (auto _ : state) {
    const auto start = Clock::now();
    benchmark::DoNotOptimize(bench::run_pass(pass, c, operands, engine));
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::min(best, seconds);
    state.SetIterationTime(seconds);
  }
  const double gflops = c.flops() / best * 1e-9;
  state.counters["best_ms"] = best * 1e3;
  state.counters["GFLOP/s"] = gflops;
  state.counters["GB/s"] = c.bytes(DType::f32) / best * 1e-9;
  state.counters["peak"] = peak;
  state.counters["%peak"] = 100.0 * gflops / peak;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::vector<Conv2dCase> cases;
  try {
    options = parse(argc, argv);
    cases = options.problem.empty() ? kernels::dcgan_layers(options.batch)
                                    : std::vector{bench::parse_problem(options.problem)};
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 2;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  set_num_threads(options.threads);
  try {
    for (const Conv2dCase& c : cases) {
      for (const Conv2dPass pass :
           {Conv2dPass::forward, Conv2dPass::input_grad, Conv2dPass::weight_grad}) {
        for (const Engine engine : options.engines) {
          bench::verify(pass, c, engine, options.inject_error);
          const std::string name =
              c.name + "/" + kernels::name_of(pass) + "/" + imago::name_of(engine);
          benchmark::RegisterBenchmark(name.c_str(), time_pass, pass, c, engine)
              ->UseManualTime()
              ->Unit(benchmark::kMillisecond);
        }
      }
    }
    benchmark::RunSpecifiedBenchmarks();
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}
