// One small problem for each CUDA kernel, in one table, for builds in which the whole suite would
// take too long: under ThreadSanitizer a switch between emulated threads costs a microsecond. What
// a kernel does at every size, dtype and alignment is for the tests of its folder to ask.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernels/engine.h"
#include "tensor/tensor.h"

namespace imago::test {

using Tensors = std::vector<Tensor>;

// The problems of kernels/<folder>.
struct Family {
  std::string folder;
  std::function<void()> run;
};

// Of images and whole tensors, of convolutions and products, and of rows and lists.
std::vector<Family> image_families();
std::vector<Family> product_families();
std::vector<Family> row_families();

// Runs f on copies of `arguments` (on the host, f32 or integers) on the CUDA device, and on the CPU
// with f64 in place of f32, and checks that the results are those of the CPU. f makes new tensors
// on the device of the Context, and may write its arguments.
void agree(const std::string& what, const Tensors& arguments,
           const std::function<Tensors(Tensors&)>& f);

// `cuda` for a tensor of the CUDA device, else the loop nest that is the specification.
Engine engine_for(const Tensor& t, Engine cuda = Engine::automatic);

}  // namespace imago::test
