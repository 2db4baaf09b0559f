// One entry of the table that drives the tests of every differentiable operation.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/gradcheck.h"
#include "autograd/var.h"

namespace imago::test {

// What the inputs of a case are for: numeric derivatives, whose cost grows with the square of the
// number of elements, or work that three threads share.
enum class Size { small, large };

// The phases of a case whose work no threads share, however large it is.
enum class Serial {
  none,
  forward,   // copies, which one thread makes
  backward,  // passes its gradient on as it is, or a part of it
  both,
};

struct OpCase {
  std::string op;    // a function of autograd/ops/, as labels_of() of tests/support/declarations.h
                     // calls it: "relu", "pow(x, exponent)"
  std::string name;  // what is special about this one
  std::function<Vars(DType, Size)> inputs;
  Differentiable f;
  Serial serial = Serial::none;
};

// A function that has no gradient, and what it gives for the two Vars of constant_inputs().
struct ConstantCase {
  std::string op;  // as above
  std::function<Var(const Var& a, const Var& b)> f;
  Tensor expected;
};

// Uniform values in [low, high] that keep a distance of 0.05 from every kink.
struct Range {
  double low = -1, high = 1;
  std::vector<double> kinks = {};
};

// Leaves that require gradients, with reproducible values, on the device of the Context.
Vars leaves(DType dtype, const std::vector<Shape>& shapes, const Range& range = {},
            std::uint64_t seed = 11);

// The shape itself, or large with `times` as many rows.
Shape taller(Shape shape, Size size, std::int64_t times = 10'000);

// One function per family of operations; test_ops.cpp runs them all.
std::vector<OpCase> arithmetic_cases();
std::vector<OpCase> batch_norm_cases();
std::vector<OpCase> conv2d_cases();
std::vector<OpCase> index_cases();
std::vector<OpCase> matmul_cases();
std::vector<OpCase> elementwise_cases();
std::vector<OpCase> group_norm_cases();
std::vector<OpCase> reduction_cases();
std::vector<OpCase> nonlinear_cases();
std::vector<OpCase> rows_and_losses_cases();
std::vector<OpCase> spatial_cases();
std::vector<OpCase> softmax_cases();

// Their tensors are on the device of the Context. The inputs are leaves that require gradients.
std::vector<ConstantCase> constant_cases();
Vars constant_inputs();

}  // namespace imago::test
