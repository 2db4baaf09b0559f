#include "kernels/optimizer/rmsprop.h"

#include "kernels/optimizer/engines.h"
#include "tensor/op_range.h"

namespace imago::kernels {

void rmsprop_update(std::span<Tensor> params, std::span<const Tensor> grads,
                    std::span<Tensor> squares, std::span<Tensor> means, std::span<Tensor> buffers,
                    const Tensor& slots, const RmspropConstants& k) {
  const bool with_momentum = k.momentum != 0;
  check(k.centered || means.empty(), "rmsprop", "means are for the centered form alone, but ",
        means.size(), " came");
  check(with_momentum || buffers.empty(), "rmsprop", "without momentum there are no buffers, but ",
        buffers.size(), " came");
  const std::span<const Tensor> m = k.centered ? means : params;
  const std::span<const Tensor> b = with_momentum ? buffers : params;
  require_lists("rmsprop", {{"parameter", params},
                            {"gradient", grads},
                            {"mean square", squares},
                            {"mean", m},
                            {"momentum buffer", b}});
  if (params.empty()) return;
  const Tensor wide = wide_slots("rmsprop", slots, 1, params[0].device());
  const OpRange range("rmsprop", params[0].device());
  Lists lists{{params, squares}, grads};
  if (k.centered) lists.written.push_back(means);
  if (with_momentum) lists.written.push_back(buffers);
  dispatch<float, double>(params[0].dtype(), "rmsprop", [&]<class T> {
    const auto run = [&](const Formula<T>& formula) { update("rmsprop", lists, wide, formula); };
    if (k.centered) {
      with_momentum ? run(RmspropFormula<T, true, true>(k))
                    : run(RmspropFormula<T, true, false>(k));
    } else {
      with_momentum ? run(RmspropFormula<T, false, true>(k))
                    : run(RmspropFormula<T, false, false>(k));
    }
  });
}

}  // namespace imago::kernels
