// Optimisers, schedules and the clipping of gradients.
#include "golden_case.h"
#include "nn/clip_grad.h"
#include "nn/optim.h"

namespace imago::test {
namespace {

template <class O, class Options>
OptimizerGolden golden_of(const char* optimizer, const char* name, const Options& options) {
  return {optimizer, name, [=](const Var& p) { return std::make_unique<O>(Vars{p}, options); }};
}

OptimizerGolden sgd(const char* name, const optim::SgdOptions& options) {
  return golden_of<optim::SGD>("SGD", name, options);
}

OptimizerGolden rmsprop(const char* name, const optim::RmspropOptions& options) {
  return golden_of<optim::RMSprop>("RMSprop", name, options);
}

}  // namespace

std::vector<OptimizerGolden> all_optimizer_goldens() {
  const optim::AdamOptions adam{
      .lr = 0.01, .beta1 = 0.5, .beta2 = 0.99, .eps = 1e-6, .weight_decay = 0.1};
  const optim::AdamWOptions adamw{
      .lr = 0.01, .beta1 = 0.5, .beta2 = 0.99, .eps = 1e-6, .weight_decay = 0.3};
  return {
      sgd("sgd", {.lr = 0.1}),
      sgd("sgd_decay", {.lr = 0.1, .weight_decay = 0.2}),
      sgd("sgd_momentum", {.lr = 0.05, .momentum = 0.9, .weight_decay = 0.1}),
      sgd("sgd_dampening", {.lr = 0.05, .momentum = 0.8, .dampening = 0.3}),
      sgd("sgd_nesterov", {.lr = 0.05, .momentum = 0.9, .nesterov = true, .weight_decay = 0.1}),
      golden_of<optim::Adam>("Adam", "adam", adam),
      golden_of<optim::AdamW>("AdamW", "adamw", adamw),
      rmsprop("rmsprop", {.lr = 0.01, .alpha = 0.9, .eps = 1e-6}),
      rmsprop("rmsprop_momentum",
              {.lr = 0.01, .alpha = 0.9, .eps = 1e-6, .momentum = 0.8, .weight_decay = 0.1}),
      rmsprop("rmsprop_centered", {.lr = 0.01, .alpha = 0.9, .eps = 1e-3, .centered = true}),
      rmsprop("rmsprop_centered_momentum",
              {.lr = 0.01, .alpha = 0.9, .eps = 1e-3, .momentum = 0.5, .centered = true}),
  };
}

std::vector<ScheduleGolden> all_schedule_goldens() {
  const char* file = "optimisers.safetensors";
  const optim::Schedule decay = optim::step_decay({.every = 7, .factor = 0.3});
  return {
      {"constant", "blocks.safetensors", "constant", optim::constant()},
      {"step_decay", file, "step_decay", decay},
      {"linear", file, "linear", optim::linear({.steps = 20, .end = 0.2})},
      {"cosine", file, "cosine", optim::cosine({.steps = 20, .floor = 0.1})},
      {"warmup", file, "warmup_step_decay", optim::warmup({.steps = 5, .start = 0.25}, decay)},
  };
}

std::vector<ClipGolden> all_clip_goldens() {
  const auto slot = [](double bound) { return Tensor::full({1}, bound, DType::f64); };
  return {
      {"clip_grad_norm(parameters, max_norm)", true,
       [](const Vars& p, double bound) { return optim::clip_grad_norm(p, bound); }},
      {"clip_grad_norm(parameters, slot)", true,
       [=](const Vars& p, double bound) { return optim::clip_grad_norm(p, slot(bound)); }},
      {"clip_grad_value(parameters, limit)", false,
       [](const Vars& p, double bound) {
         optim::clip_grad_value(p, bound);
         return Tensor();
       }},
      {"clip_grad_value(parameters, slot)", false,
       [=](const Vars& p, double bound) {
         optim::clip_grad_value(p, slot(bound));
         return Tensor();
       }},
  };
}

}  // namespace imago::test
