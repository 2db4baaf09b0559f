#include "models/gan_trainer.h"

#include <algorithm>

#include "autograd/ops/add.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/norm.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sum_to.h"
#include "autograd/random.h"
#include "kernels/random/random.h"
#include "models/checkpoint_entries.h"
#include "nn/clip_grad.h"
#include "nn/gradient_penalty.h"

namespace imago::models {
namespace {

optim::AdamOptions adam(const GanTrainerOptions& o, const std::optional<double>& lr) {
  return {.lr = lr.value_or(o.lr), .beta1 = o.beta1, .beta2 = o.beta2};
}

// Runs before anything is made from a Gan that the options do not suit.
Gan suited(Gan gan, const GanTrainerOptions& options) {
  check_gan_options(options, gan);
  return gan;
}

// Where the draws of a step are. Draw 0 is the noise z of D's last update, and what layers draw in
// that update and in G's (dropout) follows in the order in which they run. All else has a place of
// its own, whichever options are on, so that none moves another's numbers: by the turn, which is 0
// for G's update and 1, 2, ... for D's, counted from the last one, and by what is drawn.
enum class Drawn : std::uint32_t {
  z,
  layers,
  real_augment,
  fake_augment,
  real_noise,
  fake_noise,
  mix,
  penalty_layers,
  penalty_augment,
};
constexpr int turn_of_g = 0;
constexpr int last_turn_of_d = 1;

std::uint32_t draw_of(int turn, Drawn what) {
  constexpr std::uint32_t places = 16, draws = 1u << 16, first = 1u << 31;
  static_assert(static_cast<std::uint32_t>(Drawn::penalty_augment) < places);
  static_assert((std::uint64_t{most_d_steps} + 1) * places * draws <= first);
  return first +
         (static_cast<std::uint32_t>(turn) * places + static_cast<std::uint32_t>(what)) * draws;
}

// While one lives, the Context's draws count from that place; afterwards from where they were.
class DrawsFrom {
 public:
  explicit DrawsFrom(std::uint32_t draw) : before_(Context::current().generator.next_draw) {
    Context::current().generator.next_draw = draw;
  }
  ~DrawsFrom() { Context::current().generator.next_draw = before_; }
  DrawsFrom(const DrawsFrom&) = delete;
  DrawsFrom& operator=(const DrawsFrom&) = delete;

 private:
  std::uint32_t before_;
};

// One draw of that place.
DrawKey key_of(int turn, Drawn what) {
  const Generator& generator = Context::current().generator;
  return {generator.seed, generator.step, draw_of(turn, what)};
}

}  // namespace

GanTrainer::GanTrainer(Gan gan, const GanTrainerOptions& options)
    : gan_(suited(std::move(gan), options)),
      options_(options),
      opt_g_(gan_.generator.parameters(), adam(options, options.lr_g)),
      opt_d_(gan_.discriminator.parameters(), adam(options, options.lr_d)) {
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

std::int64_t GanTrainer::batch_of(const Tensor& real) const {
  const std::int64_t images = real.size(0);
  check(images > 0 && images % options_.d_steps == 0, "gan step", "has ", images,
        " real images, but takes equally many for each of ", options_.d_steps,
        " updates of D; give d-steps times the batch");
  return images / options_.d_steps;
}

GanStep GanTrainer::step(const Tensor& real) {
  const std::int64_t batch = batch_of(real);
  begin_step();
  const Shape shape{batch, gan_.z};
  std::vector<Tensor> z;
  for (int turn = options_.d_steps; turn > last_turn_of_d; --turn) {
    z.push_back(kernels::normal(shape, real.dtype(), key_of(turn, Drawn::z), real.device()));
  }
  z.push_back(randn(shape, real.device(), real.dtype()).tensor());
  return run_step(real, z);
}

GanStep GanTrainer::step(const Tensor& real, const Tensor& z) {
  const std::int64_t batch = batch_of(real);
  check(z.size(0) == real.size(0), "gan step", "has noise for ", z.size(0), " fakes but ",
        real.size(0), " real images; give equally many");
  begin_step();
  Context::current().generator.next();
  std::vector<Tensor> parts;
  for (int i = 0; i < options_.d_steps; ++i) parts.push_back(z.slice(i * batch, (i + 1) * batch));
  return run_step(real, parts);
}

GanStep GanTrainer::run_step(const Tensor& real, const std::vector<Tensor>& z) {
  const std::int64_t batch = batch_of(real);
  GanStep result;
  result.noise = noise_now();
  set_noise(result.noise, real);
  Var fake;
  for (int i = 0; i < options_.d_steps; ++i) {
    fake = update_d(real.slice(i * batch, (i + 1) * batch), z[static_cast<std::size_t>(i)],
                    options_.d_steps - i, result);
  }
  update_g(fake, result);
  steps_done_ += 1;
  if (ema_) ema_->update(steps_done_);
  return result;
}

// Returns the fakes, which G may go on from after the last turn. real (N, image, image, 3), z
// (N, z).
Var GanTrainer::update_d(const Tensor& real, const Tensor& z, int turn, GanStep& result) {
  const bool last = turn == last_turn_of_d;
  std::optional<DrawsFrom> own_place;
  if (!last) own_place.emplace(draw_of(turn, Drawn::layers));
  Var fake;
  {
    const GradMode mode(last && Context::current().record_gradients);
    fake = gan_.generator(z);
  }
  nn::Sequential& D = gan_.discriminator;
  opt_d_.zero_grad();
  result.logits_real = D(seen(real, turn, true, result.noise));
  result.logits_fake = D(seen(fake.detach(), turn, false, result.noise));
  result.loss_d =
      loss_of_d(options_.loss, result.logits_real, result.logits_fake, options_.real_target);
  Var total = result.loss_d;
  if (penalty_due(turn)) {
    const double factor =
        penalty_factor(options_.penalty, options_.penalty_weight, options_.penalty_every);
    total = ops::add(total, ops::scale(penalty(real, fake.tensor(), turn, result), factor));
  }
  total.backward();
  opt_d_.step();
  if (options_.clip_weights > 0) optim::clip_weights(opt_d_.parameters(), options_.clip_weights);
  return fake;
}

// Of D as a function of images before their augmentation and without instance noise, which is a
// penalty on D's gradient itself. real, fake (N, image, image, 3).
Var GanTrainer::penalty(const Tensor& real, const Tensor& fake, int turn, GanStep& result) {
  const DrawsFrom place(draw_of(turn, Drawn::penalty_layers));
  Var norm;
  HookHandle looking;
  const loss::Critic critic = [&](const Var& x) {
    looking = x.register_hook([&norm](const Var& gradient) {
      const NoGrad no_grad;
      norm = ops::mean(ops::norm(gradient.detach(), 2, {1, 2, 3}));
    });
    Var images = x;
    if (options_.augment.colour || options_.augment.translation || options_.augment.cutout) {
      const DrawsFrom augment(draw_of(turn, Drawn::penalty_augment));
      images = diff_augment(x, options_.augment);
    }
    return gan_.discriminator(images);
  };
  Var value;
  if (options_.penalty == GanPenalty::r1) {
    value = loss::r1_penalty(critic, real);
  } else {
    const Tensor mix =
        kernels::uniform({real.size(0)}, real.dtype(), key_of(turn, Drawn::mix), real.device());
    value = loss::gradient_penalty(critic, real, fake, mix);
  }
  result.penalty = value.detach();
  result.gradient_norm = norm;
  return value;
}

void GanTrainer::update_g(const Var& fake, GanStep& result) {
  opt_g_.zero_grad();
  {
    const nn::Frozen freeze(gan_.discriminator);
    const Var logits = gan_.discriminator(seen(fake, turn_of_g, false, result.noise));
    result.loss_g = loss_of_g(options_.loss, logits);
    result.loss_g.backward();
  }
  opt_g_.step();
}

// D's updates are counted over the whole run: every penalty_every-th one, the first included.
bool GanTrainer::penalty_due(int turn) const {
  if (options_.penalty == GanPenalty::none) return false;
  const std::int64_t update = steps_done_ * options_.d_steps + (options_.d_steps - turn);
  return update % options_.penalty_every == 0;
}

double GanTrainer::noise_now() const {
  if (options_.instance_noise == 0) return 0;
  const double done = static_cast<double>(steps_done_) / static_cast<double>(options_.noise_steps);
  return options_.instance_noise * std::max(0.0, 1 - done);
}

// Written to where the kernels read it, as optimisers write their rates.
void GanTrainer::set_noise(double deviation, const Tensor& like) {
  if (deviation == 0) return;
  if (!noise_ || noise_.dtype() != like.dtype() || noise_.device() != like.device()) {
    noise_ = Tensor::empty({1}, like.dtype(), like.device());
  }
  noise_.copy_from(Tensor::full({1}, deviation, like.dtype(), Device::cpu()));
}

// Images (N, image, image, 3) as D is to see them: augmented, then noisy.
Var GanTrainer::seen(const Var& images, int turn, bool real, double deviation) {
  Var x = images;
  if (options_.augment.colour || options_.augment.translation || options_.augment.cutout) {
    const DrawsFrom place(draw_of(turn, real ? Drawn::real_augment : Drawn::fake_augment));
    x = diff_augment(x, options_.augment);
  }
  if (deviation == 0) return x;
  const DrawKey key = key_of(turn, real ? Drawn::real_noise : Drawn::fake_noise);
  const Var noise = kernels::normal(x.shape(), x.dtype(), key, x.device());
  return ops::add(x, ops::mul(noise, noise_));
}

Tensor GanTrainer::generate(const Tensor& z) {
  const NoGrad no_grad;
  nn::Sequential& generator = ema_ ? average_ : gan_.generator;
  const nn::Evaluating mode(generator);
  return generator(z).tensor();
}

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
  Metadata metadata{
      {"format", checkpoint_format::gan},       {"model", gan_.spec.model},
      {"base", std::to_string(gan_.spec.base)}, {"loss", name_of(options_.loss)},
      {"ema", shortest(options_.ema)},          {"seed", std::to_string(options_.seed)},
      {"step", std::to_string(steps_done_)}};
  metadata.merge(chosen_options(options_));
  return metadata;
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
  check_same_options(options_, file);
  gan_.generator.load_state_dict(file.group("g"));
  gan_.discriminator.load_state_dict(file.group("d"));
  opt_g_.load_state_dict(file.group("opt_g"));
  opt_d_.load_state_dict(file.group("opt_d"));
  if (ema_) average_.load_state_dict(file.group("ema"));
  steps_done_ = static_cast<std::int64_t>(whole_entry(file, "step"));
}

GanSpec gan_spec_of(const SafetensorsFile& file) {
  if (!has_format(file, checkpoint_format::gan)) {
    refuse_checkpoint(file, "a GAN checkpoint of Imago");
  }
  return {file.metadata_entry("model"), static_cast<int>(whole_entry(file, "base"))};
}

Gan load_gan(const SafetensorsFile& file) {
  const ContextScope scope;  // fresh weights are overwritten: leave the caller's draws alone
  Gan gan = make_gan(gan_spec_of(file));
  const bool averaged = !entries_under(file.tensors, "ema").empty();
  gan.generator.load_state_dict(file.group(averaged ? "ema" : "g"));
  gan.discriminator.load_state_dict(file.group("d"));
  return gan;
}

}  // namespace imago::models
