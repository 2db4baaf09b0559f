#include "models/gan_trainer.h"

#include <charconv>

#include "autograd/ops/sigmoid.h"
#include "autograd/ops/sum_to.h"
#include "autograd/random.h"
#include "nn/gan_loss.h"

namespace imago::models {
namespace {

optim::AdamOptions adam(const GanTrainerOptions& o) {
  return {.lr = o.lr, .beta1 = o.beta1, .beta2 = o.beta2};
}

}  // namespace

const char* name_of(GanLoss loss) {
  return loss == GanLoss::minimax ? "minimax" : "nonsaturating";
}

double mean_probability(const Var& logits) {
  const NoGrad no_grad;
  return ops::mean(ops::sigmoid(logits.detach())).item();
}

GanTrainer::GanTrainer(Gan gan, const GanTrainerOptions& options)
    : gan_(std::move(gan)),
      options_(options),
      opt_g_(gan_.generator.parameters(), adam(options)),
      opt_d_(gan_.discriminator.parameters(), adam(options)) {
  gan_.generator.set_name("G");
  gan_.discriminator.set_name("D");
  if (options.ema > 0) {
    const ContextScope scope;  // its first weights are overwritten: leave the caller's draws alone
    average_ = make_gan(gan_.spec).generator;
    average_.set_name("averaged");
    average_.to(gan_.generator.parameters().at(0).device());
    ema_.emplace(gan_.generator, average_, options.ema);
  }
}

void GanTrainer::begin_step() {
  Generator& generator = Context::current().generator;
  generator.seed = options_.seed;
  generator.begin_step(static_cast<std::uint32_t>(steps_done_ + 1));
}

GanStep GanTrainer::step(const Tensor& real) {
  begin_step();
  return run_step(real, randn({real.size(0), gan_.z}, real.device(), real.dtype()).tensor());
}

GanStep GanTrainer::step(const Tensor& real, const Tensor& z) {
  begin_step();
  Context::current().generator.next();
  return run_step(real, z);
}

GanStep GanTrainer::run_step(const Tensor& real, const Tensor& z) {
  nn::Sequential& G = gan_.generator;
  nn::Sequential& D = gan_.discriminator;
  GanStep result;
  const Var fake = G(z);
  opt_d_.zero_grad();
  result.logits_real = D(real);
  result.logits_fake = D(fake.detach());
  result.loss_d = loss::gan_d(result.logits_real, result.logits_fake);
  result.loss_d.backward();
  opt_d_.step();

  opt_g_.zero_grad();
  {
    const nn::Frozen freeze(D);
    const Var logits = D(fake);
    result.loss_g =
        options_.loss == GanLoss::minimax ? loss::gan_g_minimax(logits) : loss::gan_g(logits);
    result.loss_g.backward();
  }
  opt_g_.step();
  steps_done_ += 1;
  if (ema_) ema_->update(steps_done_);
  return result;
}

Tensor GanTrainer::generate(const Tensor& z) {
  const NoGrad no_grad;
  nn::Sequential& generator = ema_ ? average_ : gan_.generator;
  const nn::Evaluating mode(generator);
  return generator(z).tensor();
}

namespace {

// The shortest text that reads back as the same number.
std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::uint64_t number_in(const SafetensorsFile& file, const std::string& key) {
  const std::string& text = file.metadata_entry(key);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc() && end == text.data() + text.size(), "checkpoint", file.path, ": ",
        key, " should be a number, not '", text, "'");
  return value;
}

}  // namespace

NamedTensors GanTrainer::state() const {
  NamedTensors all;
  insert_under(all, "g", gan_.generator.state_dict());
  insert_under(all, "d", gan_.discriminator.state_dict());
  insert_under(all, "opt_g", opt_g_.state_dict());
  insert_under(all, "opt_d", opt_d_.state_dict());
  if (ema_) insert_under(all, "ema", average_.state_dict());
  return all;
}

Metadata GanTrainer::metadata() const {
  return {{"format", "imago-gan-1"},
          {"model", gan_.spec.model},
          {"base", std::to_string(gan_.spec.base)},
          {"loss", name_of(options_.loss)},
          {"ema", shortest(options_.ema)},
          {"seed", std::to_string(options_.seed)},
          {"step", std::to_string(steps_done_)}};
}

void GanTrainer::load(const SafetensorsFile& file) {
  const GanSpec spec = gan_spec_of(file);
  check(spec == gan_.spec, "checkpoint", file.path, " holds ", spec.model, " with base ", spec.base,
        ", but this run trains ", gan_.spec.model, " with base ", gan_.spec.base);
  const auto same = [&](const char* key, const std::string& ours) {
    check(file.metadata_entry(key) == ours, "checkpoint", file.path, " was trained with ", key, " ",
          file.metadata_entry(key), ", not ", ours);
  };
  same("seed", std::to_string(options_.seed));
  same("loss", name_of(options_.loss));
  same("ema", shortest(options_.ema));
  gan_.generator.load_state_dict(file.group("g"));
  gan_.discriminator.load_state_dict(file.group("d"));
  opt_g_.load_state_dict(file.group("opt_g"));
  opt_d_.load_state_dict(file.group("opt_d"));
  if (ema_) average_.load_state_dict(file.group("ema"));
  steps_done_ = static_cast<std::int64_t>(number_in(file, "step"));
}

GanSpec gan_spec_of(const SafetensorsFile& file) {
  check(file.metadata.contains("format") && file.metadata.at("format") == "imago-gan-1",
        "checkpoint", file.path, " is not a GAN checkpoint of Imago");
  return {file.metadata_entry("model"), static_cast<int>(number_in(file, "base"))};
}

Gan load_gan(const SafetensorsFile& file) {
  const ContextScope
      scope;  // fresh weights are drawn and overwritten: leave the caller's draws alone
  Gan gan = make_gan(gan_spec_of(file));
  const bool averaged = !entries_under(file.tensors, "ema").empty();
  gan.generator.load_state_dict(file.group(averaged ? "ema" : "g"));
  gan.discriminator.load_state_dict(file.group("d"));
  return gan;
}

}  // namespace imago::models
