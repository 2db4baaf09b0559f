#pragma once

#include "autograd/var.h"

namespace imago::ops {

// parts (n_i, ...) whose other extents agree, joined along the outermost dimension.
Var concat(const Vars& parts);

}  // namespace imago::ops
