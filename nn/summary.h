// What a network is made of, layer by layer.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "nn/module.h"

namespace imago::nn {

struct SummaryRow {
  std::string name;              // "layers.3.conv"; "" for the network itself
  std::string type;              // "Conv2d"
  int depth = 0;                 // modules around it
  Shape output;                  // of its last call
  int calls = 0;                 // 0: the forward pass did not come here, and `output` says nothing
  std::int64_t parameters = 0;   // its own, without those of layers below it
  double flops = 0;              // of its own operations, multiply and add counted as two
  std::int64_t activations = 0;  // bytes its operations made that backward needs
};

struct Summary {
  Shape input;
  std::vector<SummaryRow> rows;  // in the order of Module::visit; the sums over them are the totals
  std::int64_t parameters = 0, trainable = 0;  // elements; trainable: that require a gradient now
  std::int64_t parameter_bytes = 0, buffer_bytes = 0;
  double flops = 0;
  std::int64_t activations = 0;

  // A table of fixed width.
  std::string to_string() const;
};

std::ostream& operator<<(std::ostream& out, const Summary& summary);

// Runs `model` once, in evaluation mode, on `example` (with its batch) and writes down what
// happens: nothing is computed by formulas for layers, so any module will do. The arithmetic is
// what operations state of themselves: convolutions and matrix products (the rest is limited by
// memory). Activations are the values made in a layer that the recorded graph keeps for backward,
// each storage counted once, where it was made; parameters and the example do not count, frozen
// networks keep none. Modes, gradients, the generator of the Context and the module stay as they
// were.
Summary summary(Module& model, const Var& example);
// The same on zeros of that shape, with the dtype and on the device of the first parameter (without
// parameters: f32, on the device of the Context).
Summary summary(Module& model, const Shape& input);
// The same of a module that is called in a way of its own, with more than an input of that shape:
// `run` calls it once.
Summary summary(Module& model, const Shape& input, const std::function<void()>& run);

}  // namespace imago::nn
