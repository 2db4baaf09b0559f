#include "autograd/ops/embedding.h"

#include "autograd/ops/index_select.h"

namespace imago::ops {

Var embedding(const Var& table, const Tensor& indices) {
  check(table.dim() == 2, "embedding", "the table is (rows, width), not ", table.shape());
  return index_select(table, 0, indices);
}

}  // namespace imago::ops
