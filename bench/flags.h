// What the benches ask of Google Benchmark, and the flags that they share beside its own.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/timing.h"
#include "kernels/engine.h"
#include "tensor/device.h"
#include "tensor/dtype.h"

namespace imago::bench {

// Reads the command line: the flags of `app` first, the rest goes to Google Benchmark. Returns the
// exit code where the program must end: 2 after one line about a bad flag, 0 after --help.
std::optional<int> parse(CLI::App& app, int argc, char** argv);

// Where and what was measured (bench/provenance.h), for the head of Google Benchmark's results.
void add_provenance(Device device);

// Whether --benchmark_filter asks for the row; there is no need to verify others.
bool selected(const std::string& row);

void add_device(CLI::App& app, Device& device);  // --device
void add_dtype(CLI::App& app, DType& dtype,      // --dtype
               const std::vector<DType>& allowed);
void add_engines(CLI::App& app, std::vector<Engine>& engines);  // --engine, several times
void add_gpu_rounds(CLI::App& app, GpuRounds& gpu);             // --rounds, --hot

}  // namespace imago::bench
