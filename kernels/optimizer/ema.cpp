#include "kernels/optimizer/ema.h"

#include "kernels/optimizer/engines.h"
#include "tensor/op_range.h"

namespace imago::kernels {

void ema_update(std::span<Tensor> averages, std::span<const Tensor> values, const Tensor& slots) {
  require_lists("ema", {{"average", averages}, {"value", values}});
  if (averages.empty()) return;
  const Tensor wide = wide_slots("ema", slots, 1, averages[0].device());
  const OpRange range("ema", averages[0].device());
  dispatch<float, double>(averages[0].dtype(), "ema", [&]<class T> {
    update("ema", {{averages}, values}, wide, Formula<T>(EmaFormula<T>{}));
  });
}

}  // namespace imago::kernels
