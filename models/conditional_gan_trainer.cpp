#include "models/conditional_gan_trainer.h"

#include "autograd/ops/add.h"
#include "autograd/ops/scale.h"
#include "autograd/random.h"
#include "models/checkpoint_entries.h"
#include "nn/gan_loss.h"
#include "nn/loss.h"

namespace imago::models {
namespace {

optim::AdamOptions adam(const ConditionalGanTrainerOptions& o, double lr) {
  return {.lr = lr, .beta1 = o.beta1, .beta2 = o.beta2};
}

constexpr const char* format = checkpoint_format::conditional_gan;

}  // namespace

const char* name_of(ConditionalLoss loss) {
  return loss == ConditionalLoss::hinge ? "hinge" : "nonsaturating";
}

ConditionalLoss conditional_loss_named(const std::string& name) {
  for (const ConditionalLoss loss : {ConditionalLoss::hinge, ConditionalLoss::nonsaturating}) {
    if (name == name_of(loss)) return loss;
  }
  fail("conditional_gan", "the loss of a conditional GAN is hinge or nonsaturating, not '", name,
       "'");
}

ConditionalGanTrainer::ConditionalGanTrainer(ConditionalGan gan,
                                             const ConditionalGanTrainerOptions& options)
    : gan_(std::move(gan)),
      options_(options),
      opt_g_(gan_.generator.parameters(), adam(options, options.lr_g)),
      opt_d_(gan_.discriminator.parameters(), adam(options, options.lr_d)) {
  check(options.class_weight >= 0, "ConditionalGanTrainer", "class_weight is 0 or more, not ",
        options.class_weight);
  gan_.generator.set_name("G");
  gan_.discriminator.set_name("D");
  if (options.ema > 0) {
    const ContextScope scope;  // its first weights are overwritten: leave the caller's draws alone
    average_.emplace(gan_.spec);
    average_->set_name("averaged");
    const Var first = gan_.generator.parameters().at(0);
    average_->to(first.dtype());
    average_->to(first.device());
    ema_.emplace(gan_.generator, *average_, options.ema);
  }
}

void ConditionalGanTrainer::begin_step() {
  Generator& generator = Context::current().generator;
  generator.seed = options_.seed;
  generator.begin_step(static_cast<std::uint32_t>(steps_done_ + 1));
}

ConditionalGanStep ConditionalGanTrainer::step(const Tensor& real, const Tensor& labels) {
  begin_step();
  const Var z = randn({real.size(0), gan_.spec.z}, real.device(), real.dtype());
  return run_step(real, labels, z.tensor());
}

ConditionalGanStep ConditionalGanTrainer::step(const Tensor& real, const Tensor& labels,
                                               const Tensor& z) {
  begin_step();
  Context::current().generator.next();
  return run_step(real, labels, z);
}

Var ConditionalGanTrainer::adversarial_d(const Var& real, const Var& fake) const {
  return options_.loss == ConditionalLoss::hinge ? loss::hinge_d(real, fake)
                                                 : loss::gan_d(real, fake);
}

Var ConditionalGanTrainer::adversarial_g(const Var& fake) const {
  return options_.loss == ConditionalLoss::hinge ? loss::hinge_g(fake) : loss::gan_g(fake);
}

ConditionalGanStep ConditionalGanTrainer::run_step(const Tensor& real, const Tensor& labels,
                                                   const Tensor& z) {
  ConditionalGenerator& G = gan_.generator;
  ConditionalDiscriminator& D = gan_.discriminator;
  const bool classifies = gan_.spec.conditioning == Conditioning::acgan;
  const auto with_classes = [&](const Var& loss, const Var& classes) {
    return ops::add(loss, ops::scale(classes, options_.class_weight));
  };
  ConditionalGanStep result;
  const Var fake = G(z, labels);
  opt_d_.zero_grad();
  const ConditionalScores on_real = D.scores(real, labels);
  const ConditionalScores on_fake = D.scores(fake.detach(), labels);
  result.logits_real = on_real.logits;
  result.logits_fake = on_fake.logits;
  result.real_fake_d = adversarial_d(on_real.logits, on_fake.logits);
  result.loss_d = result.real_fake_d;
  if (classifies) {
    result.class_real = loss::cross_entropy(on_real.classes, labels);
    result.loss_d = with_classes(result.loss_d, result.class_real);
    if (options_.classify_fakes) {
      result.loss_d = with_classes(result.loss_d, loss::cross_entropy(on_fake.classes, labels));
    }
  }
  result.loss_d.backward();
  opt_d_.step();

  opt_g_.zero_grad();
  {
    const nn::Frozen freeze(D);
    const ConditionalScores scores = D.scores(fake, labels);
    result.real_fake_g = adversarial_g(scores.logits);
    result.loss_g = result.real_fake_g;
    if (classifies) {
      result.class_fake = loss::cross_entropy(scores.classes, labels);
      result.loss_g = with_classes(result.loss_g, result.class_fake);
    }
    result.loss_g.backward();
  }
  opt_g_.step();
  steps_done_ += 1;
  if (ema_) ema_->update(steps_done_);
  return result;
}

Tensor ConditionalGanTrainer::generate(const Tensor& z, const Tensor& labels) {
  const NoGrad no_grad;
  ConditionalGenerator& generator = average_ ? *average_ : gan_.generator;
  const nn::Evaluating mode(generator);
  return generator(z, labels).tensor();
}

NamedTensors ConditionalGanTrainer::state() const {
  NamedTensors all;
  insert_under(all, "g", gan_.generator.state_dict());
  insert_under(all, "d", gan_.discriminator.state_dict());
  insert_under(all, "opt_g", opt_g_.state_dict());
  insert_under(all, "opt_d", opt_d_.state_dict());
  if (average_) insert_under(all, "ema", average_->state_dict());
  return all;
}

Metadata ConditionalGanTrainer::metadata() const {
  const ConditionalGanSpec& spec = gan_.spec;
  return {{"format", format},
          {"classes", std::to_string(spec.classes)},
          {"conditioning", name_of(spec.conditioning)},
          {"image", std::to_string(spec.image)},
          {"base", std::to_string(spec.base)},
          {"z", std::to_string(spec.z)},
          {"loss", name_of(options_.loss)},
          {"class_weight", shortest(options_.class_weight)},
          {"classify_fakes", options_.classify_fakes ? "1" : "0"},
          {"ema", shortest(options_.ema)},
          {"seed", std::to_string(options_.seed)},
          {"step", std::to_string(steps_done_)}};
}

void ConditionalGanTrainer::load(const SafetensorsFile& file) {
  conditional_gan_spec_of(file);  // throws for a file of another kind
  for (const auto& [key, ours] : metadata()) {
    const std::string& theirs = file.metadata_entry(key);
    check(key == "step" || theirs == ours, "checkpoint", file.path, " was trained with ", key, " ",
          theirs, ", not ", ours);
  }
  const auto step = static_cast<std::int64_t>(whole_entry(file, "step"));
  gan_.generator.load_state_dict(file.group("g"));
  gan_.discriminator.load_state_dict(file.group("d"));
  opt_g_.load_state_dict(file.group("opt_g"));
  opt_d_.load_state_dict(file.group("opt_d"));
  if (average_) average_->load_state_dict(file.group("ema"));
  steps_done_ = step;
}

bool is_conditional_gan(const SafetensorsFile& file) {
  return has_format(file, format);
}

ConditionalGanSpec conditional_gan_spec_of(const SafetensorsFile& file) {
  if (!is_conditional_gan(file)) {
    refuse_checkpoint(file, "a checkpoint of a conditional GAN of Imago");
  }
  const auto number = [&](const char* key) { return static_cast<int>(whole_entry(file, key)); };
  return {.classes = number("classes"),
          .conditioning = conditioning_named(file.metadata_entry("conditioning")),
          .image = number("image"),
          .base = number("base"),
          .z = number("z")};
}

ConditionalGan load_conditional_gan(const SafetensorsFile& file) {
  const ContextScope scope;  // fresh weights are drawn and overwritten
  ConditionalGan gan = make_conditional_gan(conditional_gan_spec_of(file));
  const bool averaged = !entries_under(file.tensors, "ema").empty();
  gan.generator.load_state_dict(file.group(averaged ? "ema" : "g"));
  gan.discriminator.load_state_dict(file.group("d"));
  return gan;
}

}  // namespace imago::models
