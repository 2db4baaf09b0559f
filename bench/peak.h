// The ceiling that GFLOP/s are compared with.
#pragma once

namespace imago::bench {

// GFLOP/s of fused multiply-adds in f32 on `threads` threads, operands in registers: the best of a
// few bursts, each a few milliseconds. It differs from run to run with clocks and neighbours, so
// measure it next to what it is compared with.
double measure_fma_peak(int threads);

}  // namespace imago::bench
