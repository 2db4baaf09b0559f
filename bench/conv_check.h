// What bench_conv needs besides timing: problems by name, running a pass, and the verification
// that comes before any figure.
#pragma once

#include <string>

#include "kernels/conv2d/cases.h"

namespace imago::bench {

// "n128h32w32c64k128r4s4u2v2p1": the string of Conv2dProblem::to_string. Throws Error.
kernels::Conv2dCase parse_problem(const std::string& text);

struct ConvOperands {
  Tensor x;  // (N, H, W, C)
  Tensor w;  // (K, R, S, C / groups)
  Tensor y;  // (N, P, Q, K)

  ConvOperands to(Device device) const { return {x.to(device), w.to(device), y.to(device)}; }
};

// Integers in [-3, 3], on the CPU.
ConvOperands integer_operands(const kernels::Conv2dCase& c, DType dtype);
// Standard normals, to be timed: a GPU's power, and so its clock, depends on the bits that change.
ConvOperands normal_operands(const kernels::Conv2dCase& c, DType dtype);

// The gradient of weights comes in acc_t.
Tensor run_pass(kernels::Conv2dPass pass, const kernels::Conv2dCase& c, const ConvOperands& o,
                Engine engine);

struct ConvCheck {
  Device device;
  DType dtype = DType::f32;
  Engine engine = Engine::automatic;
  // Whether to stop after a batch of 1, in place of one of 2 and the whole batch.
  bool small_only = false;
  // Changes one element of each result before it is compared, which proves that the check can fail.
  bool inject_error = false;
};

// Throws Error unless the engine's result is that of the reference on the CPU: every element of a
// small batch, and elements drawn from the whole result at the full batch. Inputs are small
// integers, so results must be equal.
void verify(kernels::Conv2dPass pass, const kernels::Conv2dCase& c, const ConvCheck& options);

}  // namespace imago::bench
