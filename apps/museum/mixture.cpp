// "The generator's output is a mix of random noise and real data", and D is to tell the mix from
// real data. So G(z, x) = a z + (1 - a) x, and what it can learn is a. The one mix that no D can
// tell from real data is real data: a = 0. A generator is a function of noise alone; what it knows
// of faces is in its weights, and came there through D's gradient.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/museum/exhibits.h"
#include "apps/museum/support.h"
#include "autograd/ops/add.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/index_select.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "autograd/random.h"
#include "models/dcgan.h"
#include "models/neighbours.h"
#include "nn/gan_loss.h"
#include "nn/optim.h"

namespace imago::museum {
namespace {

constexpr int batch = 8;
constexpr std::int64_t values = std::int64_t{32} * 32 * 3;  // of one face

// Faces (batch, 32, 32, 3) f32 as rows (batch, values) of f64, in which a may become small.
Tensor rows_of(const Tensor& images) {
  return ops::cast(images.reshape({batch, values}), DType::f64).tensor();
}

void begin_step(int step) {
  Context::current().generator.begin_step(static_cast<std::uint32_t>(step));
}

Var mix(const Var& a, const Var& z, const Tensor& real) {  // (1, 1), (batch, values) twice
  return ops::add(real, ops::mul(a, ops::sub(z, real)));   // a z + (1 - a) real
}

// Of each image the mean squared difference from the nearest face: (batch, values) twice ->
// (batch, 1).
Var distance(const Var& images, const Tensor& real) {
  const Tensor nearest = models::nearest_neighbours(images.tensor(), real, 1).index;  // (batch, 1)
  const Var closest = ops::index_select(real, 0, nearest.reshape({batch}));  // (batch, values)
  return ops::mean(ops::square(ops::sub(images, closest)), {1}, true);
}

double root_mean(const Var& squares) {
  return std::sqrt(ops::mean(squares).item());
}

// A D that knows all faces by heart: logit = offset - weight * distance.
struct Judge {
  Var offset = parameter(Tensor::full({1, 1}, 0, DType::f64));
  Var weight = parameter(Tensor::full({1, 1}, 1, DType::f64));
  Var logits(const Var& distances) const {  // (batch, 1) -> (batch, 1)
    return ops::sub(offset, ops::mul(weight, distances));
  }
};

struct Losses {
  double d = 0, g = 0;
};

// The right steps of both players, with a in the place of G's weights. Returns what the last step
// lost.
Losses play(const Var& a, const Tensor& real, int steps) {
  const Judge judge;
  optim::SGD opt_d({judge.offset, judge.weight}, {.lr = 0.5});
  optim::SGD opt_a({a}, {.lr = 0.2});
  const Var of_real = distance(real, real);  // zeros
  Losses last;
  for (int i = 0; i < steps; ++i) {
    begin_step(i);
    const Var z = randn({batch, values}, Device::cpu(), DType::f64);
    const Var of_fake = distance(mix(a, z, real), real);
    opt_d.zero_grad();
    const Var loss_d = loss::gan_d(judge.logits(of_real), judge.logits(of_fake.detach()));
    loss_d.backward();
    opt_d.step();

    opt_a.zero_grad();
    const Var loss_g = loss::gan_g(judge.logits(of_fake));
    loss_g.backward();  // the judge's share of it is zeroed before its next step
    opt_a.step();
    last = {loss_d.item(), loss_g.item()};
  }
  return last;
}

// G(z) after `steps` right steps on `real`, (batch, 32, 32, 3) in [-1, 1], from weights that depend
// on the seed alone.
nn::Sequential trained(const Tensor& real, int steps) {
  manual_seed(1);
  const models::DcganOptions options = {.base = 16, .image = 32};
  nn::Sequential g = models::dcgan_generator(options), d = models::dcgan_discriminator(options);
  optim::Adam opt_g(g.parameters(), {.lr = 2e-4, .beta1 = 0.5});
  optim::Adam opt_d(d.parameters(), {.lr = 2e-4, .beta1 = 0.5});
  for (int i = 0; i < steps; ++i) {
    begin_step(i);
    const Var fake = g(randn({batch, options.z}));  // (batch, 32, 32, 3)
    opt_d.zero_grad();
    loss::gan_d(d(real), d(fake.detach())).backward();
    opt_d.step();

    opt_g.zero_grad();
    const nn::Frozen freeze(d);
    loss::gan_g(d(fake)).backward();
    opt_g.step();
  }
  return g;
}

// Of two tensors of f32, how many values are equal.
int count_equal(const Tensor& a, const Tensor& b) {
  check(a.numel() == b.numel(), "museum", "images of different sizes");
  int equal = 0;
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    equal += a.data<float>()[i] == b.data<float>()[i] ? 1 : 0;
  }
  return equal;
}

double deviation_of(const Tensor& images) {
  double sum = 0, squares = 0;
  for (std::int64_t i = 0; i < images.numel(); ++i) {
    const double x = images.data<float>()[i];
    sum += x;
    squares += x * x;
  }
  const auto count = static_cast<double>(images.numel());
  return std::sqrt(std::max(0.0, squares / count - sum / count * (sum / count)));
}

}  // namespace

Mixture mixture() {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  Mixture f;
  const Tensor real = faces(0, batch, -1, 1), others = faces(batch, batch, -1, 1);
  const Tensor rows = rows_of(real), other_rows = rows_of(others);
  f.values = static_cast<int>(real.numel());

  manual_seed(1);
  const Var a = parameter(Tensor::full({1, 1}, 0.5, DType::f64));
  f.first = a.item();
  begin_step(1000);  // noise that neither game has seen
  const Var z = randn({batch, values}, Device::cpu(), DType::f64);
  // What the mix gives out, in f32.
  const auto drawn = [&](const Tensor& from) {
    return ops::cast(mix(a, z, from), DType::f32).detach().tensor();
  };
  f.wrong_first_changed = f.values - count_equal(drawn(rows), drawn(other_rows));
  f.wrong_first_distance = root_mean(distance(mix(a, z, rows), rows));
  f.wrong_first_blank = deviation_of(drawn(Tensor::zeros_like(rows)));
  const Losses losses = play(a, rows, f.wrong_steps);
  f.last = a.item();
  f.loss_d = losses.d;
  f.loss_g = losses.g;
  f.wrong_changed = f.values - count_equal(drawn(rows), drawn(other_rows));
  f.wrong_copied = count_equal(drawn(rows), real);
  f.wrong_distance = root_mean(distance(mix(a, z, rows), rows));
  f.wrong_blank = deviation_of(drawn(Tensor::zeros_like(rows)));

  nn::Sequential g = trained(real, f.right_steps), g_of_others = trained(others, f.right_steps);
  const NoGrad no_grad;
  begin_step(1000);
  const Var code = randn({batch, models::DcganOptions{}.z});
  // The faces lie ready here, too; there is no place to put them in.
  const auto right_drawn = [&](const Tensor& /*from*/) { return g(code).tensor(); };
  const Tensor images = right_drawn(real);
  f.right_changed = f.values - count_equal(images, right_drawn(others));
  f.right_copied = count_equal(images, real);
  f.right_distance = root_mean(distance(rows_of(images), rows));
  f.right_blank = deviation_of(right_drawn(Tensor::zeros_like(real)));
  f.right_parameters = g.num_parameters();
  const Vars one = g.parameters(), two = g_of_others.parameters();
  f.right_tensors = static_cast<int>(one.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    f.right_learned += same_bits(one[i].tensor(), two[i].tensor()) ? 0 : 1;
  }
  return f;
}

void show_mixture() {
  const Mixture f = mixture();
  std::printf(
      "Wrong: the output of G is a mix of random noise and real data, a z + (1 - a) x\n"
      "Right: the output of G is a function of noise alone, G(z)\n"
      "What differs, for %d values of %d faces x, and as many that G gives out:\n"
      "                                            mix, a = %.1f   mix, trained   G(z), trained\n"
      "    parameters that learn                   %-13d  %-13d  %lld\n"
      "    steps against D                         %-13d  %-13d  %d\n"
      "    other faces for x: values that change   %-13d  %-13d  %d\n"
      "    distance to the nearest face in x       %-13.4f  %-13.4f  %.4f\n"
      "    zeros for x: deviation of the values    %-13.4f  %-13.4f  %.4f\n",
      f.values, batch, f.first, 1, 1, static_cast<long long>(f.right_parameters), 0, f.wrong_steps,
      f.right_steps, f.wrong_first_changed, f.wrong_changed, f.right_changed,
      f.wrong_first_distance, f.wrong_distance, f.right_distance, f.wrong_first_blank,
      f.wrong_blank, f.right_blank);
  std::printf(
      "  Against a D that knows all faces, |a| went from %.1f to %.6f: of the values that the mix\n"
      "  gives out %d are those of a face in x, bit for bit; of those of G(z), %d. Its losses\n"
      "  are perfect, D's %.4f = log 4 and G's %.4f = log 2, and it has learned to copy: without\n"
      "  faces it draws nothing.\n"
      "  G(z) never meets a face. What it learns of them comes through D's gradient: trained with\n"
      "  other faces, %d of the %d tensors of its weights are different. (After %d steps it draws\n"
      "  no faces yet; but what it draws, it draws without any.)\n",
      f.first, std::abs(f.last), f.wrong_copied, f.right_copied, f.loss_d, f.loss_g,
      f.right_learned, f.right_tensors, f.right_steps);
}

}  // namespace imago::museum
