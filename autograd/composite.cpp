#include "autograd/composite.h"

#include "autograd/engine.h"
#include "autograd/ops/identity.h"

namespace imago {

Vars composite_backward(const std::function<Vars(const Vars&)>& composite, const Vars& inputs,
                        const std::vector<bool>& needs, const Vars& grad_outputs) {
  const bool create_graph = Context::current().record_gradients;
  const GradMode recording(true);

  // Each input gets a node of its own: one input may have been computed from another, and only the
  // partial derivative is wanted.
  Vars aliases;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!needs[i]) {
      aliases.push_back(inputs[i].detach());
    } else {
      aliases.push_back(create_graph ? ops::identity(inputs[i]) : parameter(inputs[i].tensor()));
    }
  }
  const Vars outputs = composite(aliases);

  Vars wanted, used_outputs, seeds;
  for (const Var& alias : aliases) {
    if (alias.requires_grad()) wanted.push_back(alias);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!grad_outputs[i] || !outputs[i].requires_grad()) continue;
    used_outputs.push_back(outputs[i]);
    seeds.push_back(grad_outputs[i]);
  }
  Vars results(inputs.size());
  if (wanted.empty() || used_outputs.empty()) return results;
  const Vars grads =
      grad(used_outputs, wanted, seeds, {.create_graph = create_graph, .allow_unused = true});
  for (std::size_t i = 0, j = 0; i < aliases.size(); ++i) {
    if (aliases[i].requires_grad()) results[i] = grads[j++];
  }
  return results;
}

}  // namespace imago
