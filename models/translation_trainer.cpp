#include "models/translation_trainer.h"

#include <cmath>

#include "autograd/ops/abs.h"
#include "autograd/ops/add.h"
#include "autograd/ops/div.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "kernels/concat/concat.h"
#include "models/checkpoint_entries.h"

namespace imago::models {
namespace {

constexpr const char* format = checkpoint_format::translation;

void check_options(const TranslationTrainerOptions& o) {
  const char* op = "translation trainer";
  for (const double weight : {o.l1, o.l2, o.adversarial}) {
    check(std::isfinite(weight) && weight >= 0, op,
          "the weights l1, l2 and adversarial are 0 or more, not ", weight);
  }
  check(o.l1 + o.l2 + o.adversarial > 0, op,
        "one of the weights l1, l2 and adversarial must be positive, or there is nothing to learn");
  for (const double lr : {o.lr, o.lr_d.value_or(0)}) {
    check(std::isfinite(lr) && lr >= 0, op, "a learning rate must not be negative, but is ", lr);
  }
  check(o.ema >= 0 && o.ema < 1, op, "ema must be in [0, 1), not ", o.ema);
}

// Runs before anything is made from options that are not good.
TranslationGan with_good(TranslationGan gan, const TranslationTrainerOptions& options) {
  check_options(options);
  return gan;
}

optim::AdamOptions adam(const TranslationTrainerOptions& o, double lr) {
  return {.lr = lr, .beta1 = o.beta1, .beta2 = o.beta2};
}

Vars parameters_of(const TranslationGan& gan) {
  Vars all = gan.global.parameters();
  for (const Var& p : gan.local.parameters()) all.push_back(p);
  return all;
}

}  // namespace

TranslationTrainer::TranslationTrainer(TranslationGan gan, const TranslationTrainerOptions& options)
    : gan_(with_good(std::move(gan), options)),
      options_(options),
      opt_g_(gan_.translator.parameters(), adam(options, options.lr)) {
  gan_.translator.set_name("G");
  gan_.global.set_name("D");
  gan_.local.set_name("D.local");
  if (adversarial()) {
    opt_d_.emplace(parameters_of(gan_), adam(options, options.lr_d.value_or(options.lr)));
  }
  if (options.ema > 0) {
    const ContextScope scope;  // its first weights are overwritten: leave the caller's draws alone
    average_.emplace(gan_.spec);
    average_->set_name("averaged");
    const Var first = gan_.translator.parameters().at(0);
    average_->to(first.dtype());
    average_->to(first.device());
    ema_.emplace(gan_.translator, *average_, options.ema);
  }
}

void TranslationTrainer::begin_step() {
  Generator& generator = Context::current().generator;
  generator.seed = options_.seed;
  generator.begin_step(static_cast<std::uint32_t>(steps_done_ + 1));
}

TranslationStep TranslationTrainer::step(const Tensor& images) {
  const auto next = static_cast<std::uint32_t>(steps_done_ + 1);
  return step(degraded(gan_.spec.task, images, options_.seed, next));
}

TranslationStep TranslationTrainer::step(const TranslationBatch& batch) {
  begin_step();
  return run_step(batch);
}

// The mean of x (N, S, S, output channels) over all that the translator had to find.
Var TranslationTrainer::pixel_mean(const Var& x, const TranslationBatch& batch) const {
  if (gan_.spec.task != TranslationTask::inpaint) return ops::mean(x);
  // x is 0 wherever nothing was missing.
  const Var missing = ops::sum(Var(kernels::slice(batch.input, 3, 3, 4)));
  return ops::div(ops::sum(x), ops::scale(missing, static_cast<double>(x.size(3))));
}

void TranslationTrainer::update_d(const TranslationBatch& batch, const Var& result,
                                  TranslationStep& step) {
  const TranslationTask task = gan_.spec.task;
  const Var real = judged(task, batch.input, Var(batch.target));
  const Var fake = judged(task, batch.input, result.detach());
  opt_d_->zero_grad();
  step.logits_real = gan_.global(real);
  step.logits_fake = gan_.global(fake);
  step.loss_d_global = loss_of_d(options_.loss, step.logits_real, step.logits_fake);
  // One after the other: each pass moves the vectors of spectral norm.
  const Var local_real = gan_.local(local_windows(real, batch));
  const Var local_fake = gan_.local(local_windows(fake, batch));
  step.loss_d_local = loss_of_d(options_.loss, local_real, local_fake);
  ops::add(step.loss_d_global, step.loss_d_local).backward();
  opt_d_->step();
}

TranslationStep TranslationTrainer::run_step(const TranslationBatch& batch) {
  TranslationStep step;
  const Var result = gan_.translator.translate(batch.input);
  check(batch.target.shape() == result.shape(), "translation step", "the result is ",
        result.shape(), " but the target is ", batch.target.shape());
  if (adversarial()) update_d(batch, result, step);

  opt_g_.zero_grad();
  {
    const nn::Frozen no_global(gan_.global), no_local(gan_.local);
    const Var difference = ops::sub(result, Var(batch.target));
    const auto add = [&step](const Var& part, double weight) {
      if (weight == 0) return;
      const Var weighted = ops::scale(part, weight);
      step.loss = step.loss ? ops::add(step.loss, weighted) : weighted;
    };
    const Var l1 = pixel_mean(ops::abs(difference), batch);
    const Var l2 = pixel_mean(ops::square(difference), batch);
    add(l1, options_.l1);
    add(l2, options_.l2);
    if (adversarial()) {
      const Var seen = judged(gan_.spec.task, batch.input, result);
      const Var of_global = loss_of_g(options_.loss, gan_.global(seen));
      const Var of_local = loss_of_g(options_.loss, gan_.local(local_windows(seen, batch)));
      const Var both = ops::add(of_global, of_local);
      add(both, options_.adversarial);
      step.loss_g = both.detach();
    }
    step.l1 = l1.detach();
    step.l2 = l2.detach();
    step.loss.backward();
  }
  opt_g_.step();
  steps_done_ += 1;
  if (ema_) ema_->update(steps_done_);
  return step;
}

Tensor TranslationTrainer::translate(const Tensor& input) {
  const NoGrad no_grad;
  Translator& translator = average_ ? *average_ : gan_.translator;
  const nn::Evaluating mode(translator);
  return translator.translate(input).tensor();
}

NamedTensors TranslationTrainer::state() const {
  NamedTensors all;
  insert_under(all, "g", gan_.translator.state_dict());
  insert_under(all, "opt_g", opt_g_.state_dict());
  if (opt_d_) {
    insert_under(all, "d", gan_.global.state_dict());
    insert_under(all, "d_local", gan_.local.state_dict());
    insert_under(all, "opt_d", opt_d_->state_dict());
  }
  if (average_) insert_under(all, "ema", average_->state_dict());
  return all;
}

Metadata TranslationTrainer::metadata() const {
  const TranslationSpec& spec = gan_.spec;
  return {{"format", format},
          {"task", name_of(spec.task)},
          {"image", std::to_string(spec.image)},
          {"base", std::to_string(spec.base)},
          {"l1", shortest(options_.l1)},
          {"l2", shortest(options_.l2)},
          {"adversarial", shortest(options_.adversarial)},
          {"loss", name_of(options_.loss)},
          {"ema", shortest(options_.ema)},
          {"seed", std::to_string(options_.seed)},
          {"step", std::to_string(steps_done_)}};
}

void TranslationTrainer::load(const SafetensorsFile& file) {
  translation_spec_of(file);  // throws for a file of another kind
  for (const auto& [key, ours] : metadata()) {
    const std::string& theirs = file.metadata_entry(key);
    check(key == "step" || theirs == ours, "checkpoint", file.path, " was trained with ", key, " ",
          theirs, ", not ", ours);
  }
  const auto step = static_cast<std::int64_t>(whole_entry(file, "step"));
  gan_.translator.load_state_dict(file.group("g"));
  opt_g_.load_state_dict(file.group("opt_g"));
  if (opt_d_) {
    gan_.global.load_state_dict(file.group("d"));
    gan_.local.load_state_dict(file.group("d_local"));
    opt_d_->load_state_dict(file.group("opt_d"));
  }
  if (average_) average_->load_state_dict(file.group("ema"));
  steps_done_ = step;
}

bool is_translation_checkpoint(const SafetensorsFile& file) {
  return has_format(file, format);
}

TranslationSpec translation_spec_of(const SafetensorsFile& file) {
  if (!is_translation_checkpoint(file)) {
    refuse_checkpoint(file, "a checkpoint of train_translation");
  }
  const TranslationSpec spec{.task = translation_task(file.metadata_entry("task")),
                             .image = static_cast<int>(whole_entry(file, "image")),
                             .base = static_cast<int>(whole_entry(file, "base"))};
  check_translation_spec(spec);
  return spec;
}

Translator load_translator(const SafetensorsFile& file) {
  const ContextScope scope;  // fresh weights are drawn and overwritten: leave the caller's draws
  Translator translator(translation_spec_of(file));
  const bool averaged = !entries_under(file.tensors, "ema").empty();
  translator.load_state_dict(file.group(averaged ? "ema" : "g"));
  return translator;
}

}  // namespace imago::models
