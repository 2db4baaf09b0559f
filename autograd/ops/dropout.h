#pragma once

#include "autograd/var.h"
#include "tensor/philox.h"

namespace imago::ops {

// Inverted dropout: x / (1 - p) with probability 1 - p, else 0; p in [0, 1). Which elements are
// kept is a function of the draw's key alone, so nothing is stored for the backward pass. Without a
// key it is the next draw of the Context.
Var dropout(const Var& x, double p, DrawKey key = Context::current().generator.next());

}  // namespace imago::ops
