// The optimisers as a table: how each is called, and how its specification is.
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "kernels/optimizer/reference.h"
#include "tensor/context.h"

namespace imago::test {

// Parameters, gradients and what the optimiser keeps of each parameter.
struct OptimizerState {
  std::vector<Tensor> p, g;
  std::vector<std::vector<Tensor>> kept;
};

struct OptimizerRule {
  std::string name;
  int kept;  // arrays beside each parameter
  // What the kernel reads in step t = 1, 2, ...
  std::function<std::vector<double>(double lr, int t)> slots;
  std::function<void(OptimizerState&, const Tensor& slots)> run;
  // One element: k holds what is kept.
  std::function<void(double& p, double g, double* k, double lr, int t)> formula;
};

inline OptimizerRule adam_rule(const std::string& name, const kernels::AdamConstants& c) {
  return {name, 2,
          [=](double lr, int t) -> std::vector<double> {
            return {lr, 1 / (1 - std::pow(c.beta1, t)), 1 / std::sqrt(1 - std::pow(c.beta2, t))};
          },
          [=](OptimizerState& s, const Tensor& slots) {
            kernels::adam_update(s.p, s.g, s.kept[0], s.kept[1], slots, c);
          },
          [=](double& p, double g, double* k, double lr, int t) {
            kernels::adam_reference(p, g, k[0], k[1], lr, t, c);
          }};
}

inline OptimizerRule sgd_rule(const std::string& name, const kernels::SgdConstants& c,
                              double dampening = 0) {
  const bool momentum = c.momentum != 0;
  const auto taken = [=](int t) { return t == 1 ? 1 : 1 - dampening; };
  return {name, momentum ? 1 : 0,
          [=](double lr, int t) -> std::vector<double> {
            return {lr, taken(t)};
          },
          [=](OptimizerState& s, const Tensor& slots) {
            std::vector<Tensor> none;
            kernels::sgd_update(s.p, s.g, momentum ? s.kept[0] : none, slots, c);
          },
          [=](double& p, double g, double* k, double lr, int t) {
            kernels::sgd_reference(p, g, k[0], lr, t, dampening, c);
          }};
}

inline OptimizerRule rmsprop_rule(const std::string& name, const kernels::RmspropConstants& c) {
  const bool momentum = c.momentum != 0;
  const int buffer = c.centered ? 2 : 1;
  return {name, 1 + c.centered + momentum,
          [=](double lr, int) -> std::vector<double> { return {lr}; },
          [=](OptimizerState& s, const Tensor& slots) {
            std::vector<Tensor> none;
            kernels::rmsprop_update(s.p, s.g, s.kept[0], c.centered ? s.kept[1] : none,
                                    momentum ? s.kept[static_cast<std::size_t>(buffer)] : none,
                                    slots, c);
          },
          [=](double& p, double g, double* k, double lr, int) {
            kernels::rmsprop_reference(p, g, k[0], k[1], k[buffer], lr, c);
          }};
}

inline std::vector<OptimizerRule> optimizer_rules() {
  return {
      sgd_rule("sgd", {}),
      sgd_rule("sgd with decay", {.weight_decay = 0.1}),
      sgd_rule("sgd with momentum", {.momentum = 0.9, .weight_decay = 0.05}),
      sgd_rule("sgd with dampening", {.momentum = 0.7}, 0.4),
      sgd_rule("sgd with nesterov", {.momentum = 0.8, .nesterov = true, .weight_decay = 0.02}),
      adam_rule("adam", {}),
      adam_rule("adam with decay", {.beta1 = 0.5, .weight_decay = 0.1}),
      adam_rule("adam with a large eps", {.eps = 0.3}),
      adam_rule("adamw", {.beta1 = 0.5, .weight_decay = 0.1, .decoupled = true}),
      rmsprop_rule("rmsprop", {.eps = 1e-3, .weight_decay = 0.1}),
      rmsprop_rule("rmsprop with momentum", {.alpha = 0.9, .eps = 1e-3, .momentum = 0.8}),
      rmsprop_rule("rmsprop centered", {.alpha = 0.9, .eps = 0.1, .centered = true}),
      rmsprop_rule("rmsprop centered with momentum",
                   {.alpha = 0.9, .eps = 0.1, .momentum = 0.5, .centered = true}),
  };
}

}  // namespace imago::test
