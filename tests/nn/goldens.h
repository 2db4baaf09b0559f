// Comparing with the values of tests/goldens, which scripts/make_goldens.py took from PyTorch.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "kernels/elementwise/elementwise.h"
#include "nn/safetensors.h"
#include "tests/kernels/random.h"

namespace imago::test {

// Its tensors are on the device of the Context.
inline SafetensorsFile load_goldens(const std::string& name) {
  SafetensorsFile file = load_safetensors(std::string(IMAGO_SOURCE_DIR) + "/tests/goldens/" + name);
  for (auto& [key, tensor] : file.tensors) tensor = tensor.to(Context::current().device);
  return file;
}

// |actual - golden| <= bound * the largest golden magnitude (at least 1e-3), for every element; the
// shapes must agree and NaN fails.
inline void check_close(const std::string& name, const Tensor& actual, const Tensor& golden,
                        double bound) {
  CAPTURE(name);
  REQUIRE(actual.defined());
  CHECK(actual.shape() == golden.shape());
  const double scale = std::fmax(largest(golden), 1e-3);
  CHECK(largest_error(actual, golden) <= bound * scale);
}

}  // namespace imago::test
