#include "kernels/optimizer/adam.h"

#include "kernels/optimizer/engines.h"
#include "tensor/op_range.h"

namespace imago::kernels {

void adam_update(std::span<Tensor> params, std::span<const Tensor> grads, std::span<Tensor> m,
                 std::span<Tensor> v, const Tensor& slots, const AdamConstants& constants) {
  require_lists(
      "adam",
      {{"parameter", params}, {"gradient", grads}, {"first moment", m}, {"second moment", v}});
  if (params.empty()) return;
  const Tensor wide = wide_slots("adam", slots, 3, params[0].device());
  const OpRange range("adam", params[0].device());
  dispatch<float, double>(params[0].dtype(), "adam", [&]<class T> {
    update("adam", {{params, m, v}, grads}, wide, Formula<T>(AdamFormula<T>(constants)));
  });
}

}  // namespace imago::kernels
