// How the benches measure one piece of work, and what they report of it.
//
// CPU: wall clock of each run. GPU: CUDA events around one replay of a graph of 20 launches, at
// least 30 times. The launches take turns with sets of operands that together are larger than any
// cache ("cold": at least 128 MB), or all use one set ("hot"). Emulated device: time there says
// nothing about a GPU, so launches and blocks are counted instead.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/problems.h"
#include "tensor/device.h"
#include "tensor/tensor.h"

namespace imago::bench {

// Runs the work on set `set` of its operands and returns what it wrote.
using Launch = std::function<std::vector<Tensor>(int set)>;

struct Work {
  std::string name;
  DType dtype = DType::f32;
  double flops = 0;                         // of one run
  double bytes = 0;                         // that one run must move at least
  double instructions = 0;                  // of one run, as in Ceilings
  bool beside_copy = false;                 // CPU: copies of 64 MiB take turns with the runs
  std::function<Launch(int sets)> prepare;  // makes so many sets of operands
  std::function<Ceilings()> ceilings;       // called next to the measurement
};

struct GpuRounds {
  int rounds = 30;
  bool hot = false;
};

// Hands the work to Google Benchmark. Counters of a row: median_ms, p10_ms, p90_ms, best_ms; of the
// median GFLOP/s, GB/s and, where a ceiling is known, floor_ms and the per cent of the floor.
void register_cpu(const Work& work);
void register_gpu(const Work& work, const GpuRounds& rounds);

// Whether the CUDA device of this build is the emulator.
inline constexpr bool emulated = IMAGO_EMULATED;

// Prints what a run asks of the device, floating-point operations, bytes, launches and blocks, and
// its floor on GPUs that are known. None of it runs, so full-sized problems are counted quickly.
// Emulated device only.
void print_counts(const Work& work);

// Bytes per second, read and written, of the best of several copies of far more than any cache of a
// GPU holds.
double measure_gpu_copy();

// Of the GPU at hand: the table's, or else a measured copy.
Ceilings gpu_ceilings(DType dtype);

}  // namespace imago::bench
