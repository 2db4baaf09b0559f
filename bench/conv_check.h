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
};

ConvOperands integer_operands(const kernels::Conv2dCase& c);  // f32, in [-3, 3]

Tensor run_pass(kernels::Conv2dPass pass, const kernels::Conv2dCase& c, const ConvOperands& o,
                Engine engine);

// Throws Error unless the engine's result is that of the reference: every element at a batch of at
// most 2, and elements drawn from the whole result at the full batch. Inputs are small integers,
// so results must be equal. With `inject_error` one element is changed before each comparison.
void verify(kernels::Conv2dPass pass, const kernels::Conv2dCase& c, Engine engine,
            bool inject_error);

}  // namespace imago::bench
