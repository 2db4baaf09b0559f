// What each elementwise operation computes, once for every backend: the CPU loops, the reference
// and the CUDA kernels call these. T is f32 or f64; bf16 elements are computed in f32. `a` and `b`
// are the operation's parameters (a slope, a factor, two bounds), 0 where it has none.
#pragma once

#include "kernels/elementwise/formulas_binary.h"
#include "kernels/elementwise/formulas_unary.h"
