// Functions, layers and losses against golden values: forward and backward, in f64 and f32.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "golden_case.h"
#include "goldens.h"

namespace imago::test {

inline constexpr DType golden_dtypes[] = {DType::f64, DType::f32};

// In f64 both sides differ by the order of their sums alone (measured: at most 1.1e-15 of the
// largest value); in f32 the inputs are rounded too (2.7e-7).
inline double golden_bound(DType dtype) {
  return dtype == DType::f64 ? 2e-14 : 1.5e-6;
}

// A file of tests/goldens, read once, on the device of the Context.
const SafetensorsFile& golden_file(const std::string& file);

// Runs y = f(inputs) and its backward pass and compares with name.y and name.d<input>.
void check_function(const SafetensorsFile& goldens, const std::string& name,
                    const std::vector<std::string>& inputs,
                    const std::function<Var(const Vars&)>& f);

// An entry of the tables in golden_case.h.
void check_layer(const LayerGolden& golden);
void check_loss(const LossGolden& golden);

}  // namespace imago::test
