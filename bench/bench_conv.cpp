// Times the three passes of conv2d on the layers of DCGAN, or on one problem, after verifying each
// engine against the reference.
//
//   bench_conv [--device cuda] [--engine blocked]... [--dtype bf16]
//              [--problem n128h32w32c64k128r4s4u2v2p1] [--batch 128] [--threads 2] [--hot]
//              [--benchmark_out=FILE --benchmark_out_format=json]...
//
// The file is one for Google Benchmark's compare.py. bench/timing.h says what a row holds, and
// bench/problems.h what its floor is. Under the emulator nothing is timed: each engine is verified
// at a batch of 1, and what the whole problem asks of the device is counted.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>
#include <vector>

#include "bench/conv_check.h"
#include "bench/flags.h"
#include "bench/timing.h"
#include "kernels/peak/peak.h"
#include "tensor/context.h"
#include "tensor/error.h"

using namespace imago;
using kernels::Conv2dCase;
using kernels::Conv2dPass;

namespace {

struct Options {
  Device device;
  std::string problem;
  std::vector<Engine> engines;
  DType dtype = DType::f32;
  int batch = 128, threads = 0;
  bench::GpuRounds gpu;
  bool inject_error = false;
};

// Whether an engine said that it does not take such problems; any other error is a failure.
bool refused(const Error& error, Engine engine) {
  return std::string(error.what()).find("engine " + std::string(name_of(engine)) + " cannot do ") !=
         std::string::npos;
}

bench::Work work_of(const Conv2dCase& c, Conv2dPass pass, Engine engine, const Options& options,
                    Device device) {
  const DType dtype = options.dtype;
  bench::Work work;
  work.name = c.name + "/" + kernels::name_of(pass) + "/" + name_of(engine) + "/" + name_of(dtype);
  work.dtype = dtype;
  work.flops = c.flops();
  work.bytes = bench::pass_bytes(c, pass, dtype);
  work.prepare = [=](int sets) -> bench::Launch {
    const bench::ConvOperands host = bench::normal_operands(c, dtype);
    std::vector<bench::ConvOperands> operands(static_cast<std::size_t>(sets));
    for (bench::ConvOperands& each : operands) each = host.to(device);
    return [=](int set) -> std::vector<Tensor> {
      return {bench::run_pass(pass, c, operands[static_cast<std::size_t>(set)], engine)};
    };
  };
  work.ceilings = [=]() -> bench::Ceilings {
    if (device.is_cuda()) return bench::gpu_ceilings(dtype);
    if (dtype != DType::f32) return {};
    return {.flops = kernels::measure_fma_peak(num_threads()) * 1e9};
  };
  return work;
}

// Verifies every row, then times or counts them.
void run(const Options& options, const std::vector<Conv2dCase>& cases) {
  const Device device = options.device;
  const bool count_only = device.is_cuda() && bench::emulated;
  bench::add_provenance(device);
  int rows = 0;
  for (const Conv2dCase& c : cases) {
    for (const Conv2dPass pass :
         {Conv2dPass::forward, Conv2dPass::input_grad, Conv2dPass::weight_grad}) {
      for (const Engine engine : options.engines) {
        const bench::Work work = work_of(c, pass, engine, options, device);
        if (!bench::selected(work.name)) continue;
        try {
          bench::verify(pass, c,
                        {.device = device,
                         .dtype = options.dtype,
                         .engine = engine,
                         .small_only = count_only,
                         .inject_error = options.inject_error});
        } catch (const Error& error) {
          if (!refused(error, engine)) throw;
          std::fprintf(stderr, "%s: left out: %s\n", work.name.c_str(), error.what());
          continue;
        }
        ++rows;
        if (count_only) {
          bench::print_counts(work);
        } else if (device.is_cuda()) {
          bench::register_gpu(work, options.gpu);
        } else {
          bench::register_cpu(work);
        }
      }
    }
  }
  check(rows > 0, "bench_conv",
        "no row is left: no engine takes these problems, or the filter takes none");
  if (count_only) {
    std::printf("emulated: verified at a batch of 1, not timed\n");
  } else {
    benchmark::RunSpecifiedBenchmarks();
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Times the passes of conv2d.", "bench_conv");
  bench::add_device(app, options.device);
  bench::add_engines(app, options.engines);
  bench::add_dtype(app, options.dtype, {DType::f32, DType::bf16, DType::f64});
  app.add_option("--problem", options.problem, "such as n128h32w32c64k128r4s4u2v2p1");
  app.add_option("--batch", options.batch, "of DCGAN's layers")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "of the CPU; 0: all cores")
      ->check(CLI::Range(0, 1024));
  bench::add_gpu_rounds(app, options.gpu);
  app.add_flag("--inject-error", options.inject_error)->group("");  // for the test that it fails
  if (const auto code = bench::parse(app, argc, argv)) return *code;
  if (options.engines.empty()) options.engines = {Engine::automatic};
  std::vector<Conv2dCase> cases;
  try {
    cases = options.problem.empty() ? kernels::dcgan_layers(options.batch)
                                    : std::vector{bench::parse_problem(options.problem)};
  } catch (const Error& error) {
    std::fprintf(stderr, "bench_conv: %s\n", error.what());
    return 2;
  }
  try {
    set_num_threads(options.threads);
    run(options, cases);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}
