#include "nn/clip_grad.h"

#include "kernels/elementwise/elementwise.h"
#include "kernels/optimizer/clip.h"

namespace imago::optim {
namespace {

std::vector<Tensor> gradients_of(const Vars& parameters) {
  std::vector<Tensor> gradients;
  for (const Var& p : parameters) {
    if (p.grad()) gradients.push_back(p.grad().tensor());
  }
  return gradients;
}

std::vector<Tensor> values_of(const Vars& parameters) {
  std::vector<Tensor> values;
  for (const Var& p : parameters) values.push_back(p.tensor());
  return values;
}

}  // namespace

Tensor clip_grad_norm(const Vars& parameters, double max_norm) {
  std::vector<Tensor> gradients = gradients_of(parameters);
  return kernels::clip_norm(gradients, max_norm);
}

Tensor clip_grad_norm(const Vars& parameters, const Tensor& slot) {
  std::vector<Tensor> gradients = gradients_of(parameters);
  return kernels::clip_norm(gradients, slot);
}

void clip_grad_value(const Vars& parameters, double limit) {
  check(limit > 0, "clip_grad_value", "limit must be positive, not ", limit);
  std::vector<Tensor> gradients = gradients_of(parameters);
  if (gradients.empty()) return;
  kernels::clip_value(gradients, kernels::full({1}, limit, DType::f64, gradients[0].device()));
}

void clip_grad_value(const Vars& parameters, const Tensor& slot) {
  std::vector<Tensor> gradients = gradients_of(parameters);
  kernels::clip_value(gradients, slot);
}

void clip_weights(const Vars& parameters, double limit) {
  check(limit > 0, "clip_weights", "limit must be positive, not ", limit);
  std::vector<Tensor> values = values_of(parameters);
  if (values.empty()) return;
  kernels::clip_value(values, kernels::full({1}, limit, DType::f64, values[0].device()));
}

void clip_weights(const Vars& parameters, const Tensor& slot) {
  std::vector<Tensor> values = values_of(parameters);
  kernels::clip_value(values, slot);
}

}  // namespace imago::optim
