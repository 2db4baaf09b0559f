#pragma once

#include "autograd/var.h"

namespace imago::ops {

// x under a new node of the graph; shares memory. Its gradient can be asked for apart from that of
// x and of whatever x was made from.
Var identity(const Var& x);

}  // namespace imago::ops
