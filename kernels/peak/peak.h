// What this processor can do: the ceilings that times are compared with. They differ from run to
// run with clocks and neighbours, so measure them next to what is compared with them.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace imago::kernels {

// GFLOP/s of fused multiply-adds in f32 on `threads` threads, operands in registers: the best of a
// few bursts, each a few milliseconds.
double measure_fma_peak(int threads);

// A plain copy on all threads of the Context, to be timed in turn with something else, so that both
// share what neighbours leave of the memory.
class CopyProbe {
 public:
  explicit CopyProbe(std::int64_t bytes);  // read and as many written
  double seconds();                        // of one copy
  double moved() const { return 2 * static_cast<double>(from_.nbytes()); }  // bytes

 private:
  Tensor from_, to_;
};

// Bytes per second, read and written, of the best of several copies of `bytes` bytes on all threads
// of the Context.
double measure_copy(std::int64_t bytes);

}  // namespace imago::kernels
