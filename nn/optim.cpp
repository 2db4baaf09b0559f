#include "nn/optim.h"

#include <cmath>

#include "kernels/optimizer/adam.h"
#include "kernels/optimizer/rmsprop.h"
#include "kernels/optimizer/sgd.h"

namespace imago::optim {
namespace {

template <class Options>
void check_adam(const char* name, const Options& o) {
  check(0 <= o.beta1 && o.beta1 < 1 && 0 <= o.beta2 && o.beta2 < 1, name,
        "beta1 and beta2 must be in [0, 1), not ", o.beta1, " and ", o.beta2);
  check(o.eps >= 0 && o.weight_decay >= 0, name, "eps and weight_decay must not be negative");
}

template <class Options>
std::vector<double> adam_slots(const Options& o, double lr, std::int64_t step) {
  const auto t = static_cast<double>(step);
  return {lr, 1 / (1 - std::pow(o.beta1, t)), 1 / std::sqrt(1 - std::pow(o.beta2, t))};
}

template <class Options>
kernels::AdamConstants adam_constants(const Options& o, bool decoupled) {
  return {.beta1 = o.beta1,
          .beta2 = o.beta2,
          .eps = o.eps,
          .weight_decay = o.weight_decay,
          .decoupled = decoupled};
}

}  // namespace

SGD::SGD(Vars parameters, const SgdOptions& options) : Optimizer("SGD") {
  add_group(std::move(parameters), options);
}

void SGD::add_group(Vars parameters, const SgdOptions& o) {
  check(0 <= o.momentum && o.momentum < 1, "SGD", "momentum must be in [0, 1), not ", o.momentum);
  check(0 <= o.dampening && o.dampening <= 1, "SGD", "dampening must be in [0, 1], not ",
        o.dampening);
  check(o.weight_decay >= 0, "SGD", "weight_decay must not be negative");
  check(!o.nesterov || (o.momentum > 0 && o.dampening == 0), "SGD",
        "nesterov needs a momentum and no dampening");
  std::vector<std::string> kept;
  if (o.momentum != 0) kept.push_back("momentum");
  add(std::move(parameters), o.lr, std::move(kept));
  options_.push_back(o);
}

std::vector<double> SGD::slots(std::size_t group, double lr, std::int64_t t) const {
  return {lr, t == 1 ? 1.0 : 1.0 - options_[group].dampening};
}

void SGD::update(std::size_t group, BatchTensors& tensors, const Tensor& slots) {
  const SgdOptions& o = options_[group];
  std::vector<Tensor> none;
  kernels::sgd_update(
      tensors.p, tensors.g, tensors.kept.empty() ? none : tensors.kept[0], slots,
      {.momentum = o.momentum, .nesterov = o.nesterov, .weight_decay = o.weight_decay});
}

Adam::Adam(Vars parameters, const AdamOptions& options) : Optimizer("Adam") {
  add_group(std::move(parameters), options);
}

void Adam::add_group(Vars parameters, const AdamOptions& options) {
  check_adam("Adam", options);
  add(std::move(parameters), options.lr, {"m", "v"});
  options_.push_back(options);
}

std::vector<double> Adam::slots(std::size_t group, double lr, std::int64_t t) const {
  return adam_slots(options_[group], lr, t);
}

void Adam::update(std::size_t group, BatchTensors& tensors, const Tensor& slots) {
  kernels::adam_update(tensors.p, tensors.g, tensors.kept[0], tensors.kept[1], slots,
                       adam_constants(options_[group], /*decoupled=*/false));
}

AdamW::AdamW(Vars parameters, const AdamWOptions& options) : Optimizer("AdamW") {
  add_group(std::move(parameters), options);
}

void AdamW::add_group(Vars parameters, const AdamWOptions& options) {
  check_adam("AdamW", options);
  add(std::move(parameters), options.lr, {"m", "v"});
  options_.push_back(options);
}

std::vector<double> AdamW::slots(std::size_t group, double lr, std::int64_t t) const {
  return adam_slots(options_[group], lr, t);
}

void AdamW::update(std::size_t group, BatchTensors& tensors, const Tensor& slots) {
  kernels::adam_update(tensors.p, tensors.g, tensors.kept[0], tensors.kept[1], slots,
                       adam_constants(options_[group], /*decoupled=*/true));
}

RMSprop::RMSprop(Vars parameters, const RmspropOptions& options) : Optimizer("RMSprop") {
  add_group(std::move(parameters), options);
}

void RMSprop::add_group(Vars parameters, const RmspropOptions& o) {
  check(0 <= o.alpha && o.alpha < 1, "RMSprop", "alpha must be in [0, 1), not ", o.alpha);
  check(0 <= o.momentum && o.momentum < 1, "RMSprop", "momentum must be in [0, 1), not ",
        o.momentum);
  check(o.eps >= 0 && o.weight_decay >= 0, "RMSprop", "eps and weight_decay must not be negative");
  std::vector<std::string> kept{"square"};
  if (o.centered) kept.push_back("mean");
  if (o.momentum != 0) kept.push_back("momentum");
  add(std::move(parameters), o.lr, std::move(kept));
  options_.push_back(o);
}

std::vector<double> RMSprop::slots(std::size_t, double lr, std::int64_t) const {
  return {lr};
}

void RMSprop::update(std::size_t group, BatchTensors& tensors, const Tensor& slots) {
  const RmspropOptions& o = options_[group];
  std::vector<Tensor> none;
  const std::size_t buffer = o.centered ? 2 : 1;
  kernels::rmsprop_update(tensors.p, tensors.g, tensors.kept[0],
                          o.centered ? tensors.kept[1] : none,
                          o.momentum != 0 ? tensors.kept[buffer] : none, slots,
                          {.alpha = o.alpha,
                           .eps = o.eps,
                           .momentum = o.momentum,
                           .centered = o.centered,
                           .weight_decay = o.weight_decay});
}

}  // namespace imago::optim
