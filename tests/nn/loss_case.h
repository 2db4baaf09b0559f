// One entry of the table that drives the tests of every loss.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/var.h"

namespace imago::test {

// Uniform values in [low, high] that keep a distance of 0.05 from every kink. One element after
// another lies in another of the parts into which the kinks cut the range, so none stays empty.
struct LossArgument {
  double low = -2, high = 2;
  std::vector<double> kinks = {};  // ascending
};

struct LossCase {
  std::string loss;  // as labels_of() of tests/support/declarations.h calls it
  std::string name;  // what is special about this one
  std::function<Var(const Vars&)> f;
  std::vector<LossArgument> arguments;  // those that have a gradient
  Shape x = {3, 2};                     // of each of them
  // The first argument is the second one plus the values of the first: kinks of a - b.
  bool difference = false;
  std::int64_t times_shared = 10'000;  // as many rows are work that threads share
};

// The arguments of a case with `times` as many rows, reproducible, as leaves that require
// gradients, on the device of the Context.
Vars arguments_of(const LossCase& c, DType dtype, std::int64_t times = 1);

std::vector<LossCase> all_loss_cases();

}  // namespace imago::test
