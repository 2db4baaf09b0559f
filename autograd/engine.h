// Walking the graph backwards.
#pragma once

#include "autograd/function.h"
#include "autograd/var.h"

namespace imago {

struct GradOptions {
  bool create_graph = false;
  bool retain_graph = false;
  // Return an undefined Var for an input the outputs do not depend on, instead of throwing.
  bool allow_unused = false;
};

// d (sum over outputs of <output, seed>) / d input for each input; touches no .grad. `seeds` may be
// empty when every output is a scalar; a seed has the shape and dtype of its output. Inputs need
// not be leaves. With create_graph the results can be differentiated again.
Vars grad(const Vars& outputs, const Vars& inputs, const Vars& seeds = {},
          const GradOptions& options = {});

// The same, accumulated into .grad of every leaf that requires it.
void backward(const Vars& outputs, const Vars& seeds = {}, const BackwardOptions& options = {});

}  // namespace imago
