#include "models/vae_trainer.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops/add.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sum_to.h"
#include "autograd/random.h"
#include "models/checkpoint_entries.h"
#include "nn/vae_loss.h"

namespace imago::models {
namespace {

constexpr const char* format = checkpoint_format::vae;

// Of metadata: only checkpoints of VAE-GANs have the entry.
constexpr const char* adversarial = "adversarial";

std::string weight_in(const Metadata& metadata) {
  const auto entry = metadata.find(adversarial);
  return entry == metadata.end() ? "0" : entry->second;
}

optim::AdamOptions adam(const VaeTrainerOptions& o) {
  return {.lr = o.lr, .beta1 = o.beta1, .beta2 = o.beta2};
}

}  // namespace

VaeTrainer::VaeTrainer(Vae vae, const VaeTrainerOptions& options)
    : vae_(std::move(vae)), options_(options), opt_(vae_.parameters(), adam(options)) {
  check(std::isfinite(options.kl_weight) && options.kl_weight >= 0, "vae trainer",
        "the weight of the KL is 0 or more, not ", options.kl_weight);
  check(options.kl_warmup >= 0, "vae trainer", "the warm-up takes 0 steps or more, not ",
        options.kl_warmup);
  check(std::isfinite(options.free_bits) && options.free_bits >= 0, "vae trainer",
        "free bits are nats, 0 or more, not ", options.free_bits);
  const Var first = vae_.parameters().at(0);
  kl_weight_ = Tensor::full({}, 0, acc_dtype(first.dtype()), first.device());
}

double VaeTrainer::kl_weight_at(std::int64_t t) const {
  if (t >= options_.kl_warmup) return options_.kl_weight;
  return options_.kl_weight * static_cast<double>(t) / static_cast<double>(options_.kl_warmup);
}

void VaeTrainer::begin_step() {
  Generator& generator = Context::current().generator;
  generator.seed = options_.seed;
  generator.begin_step(static_cast<std::uint32_t>(steps_done_ + 1));
  const double weight = kl_weight_at(steps_done_ + 1);
  kl_weight_.copy_from(Tensor::full({}, weight, kl_weight_.dtype(), Device::cpu()));
}

VaeStep VaeTrainer::step(const Tensor& images) {
  begin_step();
  const Shape shape{images.size(0) * noises_per_image(), vae_.options().latent};
  return run_step(images, randn(shape, images.device(), images.dtype()).tensor());
}

VaeStep VaeTrainer::step(const Tensor& images, const Tensor& noise) {
  begin_step();
  Context::current().generator.next();
  return run_step(images, noise);
}

VaeStep VaeTrainer::run_step(const Tensor& images, const Tensor& noise) {
  const std::int64_t count = images.size(0);
  const Shape expected{count * noises_per_image(), vae_.options().latent};
  check(noise.shape() == expected, "vae step", "needs noise ", expected, " for ", count,
        " images but it is ", noise.shape());
  VaeStep result;
  const Posterior q = vae_.encode(images);
  const Var z = loss::reparameterise(q.mu, q.log_variance, noise.slice(0, count));
  const Var decoder = decoder_loss(images, z, noise, result);
  const Var kl = loss::gaussian_kl(q.mu, q.log_variance);
  result.kl = loss::kl_per_image(kl.detach());
  const Var paid = loss::kl_per_image(kl, options_.free_bits);
  result.loss = ops::add(decoder, ops::mul(paid, kl_weight_));
  opt_.zero_grad();
  result.loss.backward();
  opt_.step();
  end_step(result);
  steps_done_ += 1;
  return result;
}

Var VaeTrainer::decoder_loss(const Tensor& images, const Var& z, const Tensor&, VaeStep& step) {
  const Var log_likelihood = vae_.log_likelihood(images, vae_.decode(z));
  step.reconstruction = ops::scale(ops::mean(log_likelihood), -1);
  return step.reconstruction;
}

NamedTensors VaeTrainer::state() const {
  NamedTensors all;
  insert_under(all, "vae", vae_.state_dict());
  insert_under(all, "opt", opt_.state_dict());
  return all;
}

Metadata VaeTrainer::metadata() const {
  const VaeOptions& o = vae_.options();
  return {{"format", format},
          {"model", "vae"},
          {"image", std::to_string(o.image)},
          {"base", std::to_string(o.base)},
          {"latent", std::to_string(o.latent)},
          {"likelihood", name_of(o.likelihood)},
          {"sigma", shortest(o.sigma)},
          {"beta", shortest(options_.kl_weight)},
          {"kl_warmup", std::to_string(options_.kl_warmup)},
          {"free_bits", shortest(options_.free_bits)},
          {"seed", std::to_string(options_.seed)},
          {"step", std::to_string(steps_done_)}};
}

void VaeTrainer::load(const SafetensorsFile& file) {
  vae_options_of(file);  // says what the file is when it is no VAE
  const Metadata ours = metadata();
  check(weight_in(file.metadata) == weight_in(ours), "checkpoint", file.path, " was trained with ",
        adversarial, " ", weight_in(file.metadata), ", not ", weight_in(ours));
  for (const auto& [key, value] : ours) {
    if (key == "format" || key == "step") continue;
    check(file.metadata_entry(key) == value, "checkpoint", file.path, " was trained with ", key,
          " ", file.metadata_entry(key), ", not ", value);
  }
  vae_.load_state_dict(file.group("vae"));
  opt_.load_state_dict(file.group("opt"));
  steps_done_ = static_cast<std::int64_t>(whole_entry(file, "step"));
}

bool is_vae_checkpoint(const SafetensorsFile& file) {
  return has_format(file, format);
}

VaeOptions vae_options_of(const SafetensorsFile& file) {
  if (!is_vae_checkpoint(file)) refuse_checkpoint(file, "a VAE checkpoint of Imago");
  VaeOptions o;
  o.image = static_cast<int>(whole_entry(file, "image"));
  o.base = static_cast<int>(whole_entry(file, "base"));
  o.latent = static_cast<int>(whole_entry(file, "latent"));
  o.likelihood = likelihood_named(file.metadata_entry("likelihood"));
  o.sigma = number_entry(file, "sigma");
  check_vae_options(o);
  return o;
}

Vae load_vae(const SafetensorsFile& file) {
  const ContextScope scope;  // fresh weights are drawn and overwritten: leave the caller's draws
  Vae vae(vae_options_of(file));
  vae.load_state_dict(file.group("vae"));
  return vae;
}

}  // namespace imago::models
