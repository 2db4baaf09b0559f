// Times the memory-bound kernels (bench/op_rows.h), each after it was verified.
//
//   bench_ops [--device cuda] [--dtype bf16] [--megabytes 32] [--threads 2] [--hot]
//             [--benchmark_out=FILE --benchmark_out_format=json]...
//
// GB/s counts the bytes that must move, each operand once. The floor on the CPU is the time in
// which a plain copy, too large for caches and measured in turn with the row, moves as many, or
// that of the arithmetic (op_arithmetic.h) where it is longer. bench/timing.h says what else a row
// holds. Under the emulator nothing is timed: kernels are verified and their launches counted.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>
#include <vector>

#include "bench/flags.h"
#include "bench/op_rows.h"
#include "bench/timing.h"
#include "kernels/peak/peak.h"
#include "tensor/context.h"
#include "tensor/error.h"

using namespace imago;

namespace {

struct Options {
  Device device;
  DType dtype = DType::f32;
  int megabytes = 32, threads = 0;
  bench::GpuRounds gpu;
  bool inject_error = false;
};

std::vector<Tensor> copies(const std::vector<Tensor>& tensors, Device device) {
  std::vector<Tensor> result;
  for (const Tensor& t : tensors) result.push_back(t.device() == device ? t.clone() : t.to(device));
  return result;
}

void verify(const bench::Row& row, Device device, bool inject_error) {
  std::vector<Tensor> inputs = copies(row.inputs, device);
  std::vector<Tensor> results = copies(row.run(inputs), Device::cpu());
  if (inject_error) results[0].mutable_bytes()[results[0].nbytes() / 2 + 1] ^= std::byte{0x7f};
  check(row.right(results), "bench_ops", row.name, " differs from the reference");
}

bench::Work work_of(const bench::Row& row, Device device) {
  bench::Work work;
  work.name = row.name;
  work.bytes = row.bytes;
  work.flops = row.flops;
  work.instructions = row.instructions;
  work.beside_copy = true;
  work.prepare = [=](int sets) -> bench::Launch {
    std::vector<std::vector<Tensor>> operands;
    for (int i = 0; i < sets; ++i) operands.push_back(copies(row.inputs, device));
    return [=](int set) mutable { return row.run(operands[static_cast<std::size_t>(set)]); };
  };
  work.ceilings = [=]() -> bench::Ceilings {
    if (device.is_cuda()) return bench::gpu_ceilings(DType::f32);
    if (row.flops == 0 && row.instructions == 0) return {};
    const double peak = kernels::measure_fma_peak(num_threads()) * 1e9;
    return {.flops = peak, .instructions = peak / 2};
  };
  return work;
}

void run(const Options& options) {
  const Device device = options.device;
  const bool count_only = device.is_cuda() && bench::emulated;
  bench::add_provenance(device);
  for (bench::Row& row : bench::op_rows(options.dtype, options.megabytes, bench::selected)) {
    verify(row, device, options.inject_error);
    row.right = nullptr;  // and with it the reference's results
    const bench::Work work = work_of(row, device);
    if (count_only) {
      bench::print_counts(work);
    } else if (device.is_cuda()) {
      bench::register_gpu(work, options.gpu);
    } else {
      bench::register_cpu(work);
    }
  }
  if (count_only) {
    std::printf("emulated: verified, not timed\n");
  } else {
    benchmark::RunSpecifiedBenchmarks();
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Times the memory-bound kernels.", "bench_ops");
  bench::add_device(app, options.device);
  bench::add_dtype(app, options.dtype, {DType::f32, DType::bf16});
  app.add_option("--megabytes", options.megabytes, "size of the largest operand")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "of the CPU; 0: all cores")
      ->check(CLI::Range(0, 1024));
  bench::add_gpu_rounds(app, options.gpu);
  app.add_flag("--inject-error", options.inject_error)->group("");  // for the test that it fails
  if (const auto code = bench::parse(app, argc, argv)) return *code;
  try {
    set_num_threads(options.threads);
    run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}
