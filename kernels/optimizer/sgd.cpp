#include "kernels/optimizer/sgd.h"

#include "kernels/optimizer/engines.h"
#include "tensor/op_range.h"

namespace imago::kernels {

void sgd_update(std::span<Tensor> params, std::span<const Tensor> grads, std::span<Tensor> buffers,
                const Tensor& slots, const SgdConstants& constants) {
  const bool with_momentum = constants.momentum != 0;
  check(with_momentum || !constants.nesterov, "sgd", "nesterov needs a momentum");
  check(with_momentum || buffers.empty(), "sgd", "without momentum there are no buffers, but ",
        buffers.size(), " came");
  const std::span<const Tensor> checked = with_momentum ? buffers : params;
  require_lists("sgd", {{"parameter", params}, {"gradient", grads}, {"momentum buffer", checked}});
  if (params.empty()) return;
  const Tensor wide = wide_slots("sgd", slots, 2, params[0].device());
  const OpRange range("sgd", params[0].device());
  dispatch<float, double>(params[0].dtype(), "sgd", [&]<class T> {
    if (!with_momentum) {
      update("sgd", {{params}, grads}, wide, Formula<T>(SgdFormula<T>(constants)));
    } else if (constants.nesterov) {
      update("sgd", {{params, buffers}, grads}, wide,
             Formula<T>(SgdMomentumFormula<T, true>(constants)));
    } else {
      update("sgd", {{params, buffers}, grads}, wide,
             Formula<T>(SgdMomentumFormula<T, false>(constants)));
    }
  });
}

}  // namespace imago::kernels
