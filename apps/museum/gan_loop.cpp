// The loop as it is often written, on the networks of models/seed003.h, and the loop that works.
//
// In the wrong one D's gradients are dropped after the backward pass of the real images, then those
// of two losses on the same fakes add up: D's own, with the label "fake", and G's, with the label
// "real". Per fake, with p = D(fake), the logit gets p + (p - 1) = 2p - 1, which is 0 at p = 1/2:
// D learns to say "I do not know" of fakes, and nothing of faces.
#include <cmath>
#include <cstdio>

#include "apps/museum/exhibits.h"
#include "apps/museum/support.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sigmoid.h"
#include "autograd/random.h"
#include "models/gan_objective.h"
#include "models/seed003.h"
#include "nn/gan_loss.h"
#include "nn/loss.h"
#include "nn/optim.h"

namespace imago::museum {
namespace {

constexpr int batch = 4;

struct Players {
  nn::Sequential g = models::seed003_generator();
  nn::Sequential d = models::seed003_discriminator();
  optim::Adam opt_g{g.parameters(), {.lr = 2e-4, .beta1 = 0.5}};
  optim::Adam opt_d{d.parameters(), {.lr = 2e-4, .beta1 = 0.5}};
};

// The logits (batch, 1) that D gave in a step.
struct Seen {
  Var real, fake;
};

// Line by line as it was published; only labels and shapes, which would throw, are mended.
Seen wrong_step(Players& p, const Tensor& real, const Var& z) {
  const Var real_logits = p.d(real);
  p.opt_d.zero_grad();
  loss::bce_with_logits(real_logits, 1).backward();

  const Var fake = p.g(z);
  const Var fake_logits = p.d(fake.detach());
  p.opt_d.zero_grad();  // what the real images had to say is dropped here
  loss::bce_with_logits(fake_logits, 0).backward();
  p.opt_g.zero_grad();
  loss::bce_with_logits(p.d(fake), 1).backward();  // and adds to D's gradients, too

  p.opt_d.step();
  p.opt_g.step();
  return {real_logits.detach(), fake_logits.detach()};
}

Seen right_step(Players& p, const Tensor& real, const Var& z) {
  const Var fake = p.g(z);
  p.opt_d.zero_grad();
  const Var real_logits = p.d(real), fake_logits = p.d(fake.detach());
  loss::gan_d(real_logits, fake_logits).backward();
  p.opt_d.step();

  p.opt_g.zero_grad();
  {
    const nn::Frozen freeze(p.d);
    loss::gan_g(p.d(fake)).backward();
  }
  p.opt_g.step();
  return {real_logits.detach(), fake_logits.detach()};
}

using Step = Seen (*)(Players&, const Tensor&, const Var&);

Var noise(int step) {
  Context::current().generator.begin_step(static_cast<std::uint32_t>(step));
  return randn({batch, 100});
}

int count_different(const NamedVars& a, const NamedVars& b) {
  check(a.size() == b.size(), "museum", "two networks of one kind have different parameters");
  int different = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    different += same_bits(a[i].second.tensor(), b[i].second.tensor()) ? 0 : 1;
  }
  return different;
}

struct Different {
  int d = 0, g = 0, statistics = 0;
};

// One step from the same weights with the same noise, on faces and on zeros.
Different compare(Step step) {
  const Tensor real = faces(0, batch, -1, 1);
  manual_seed(1);
  Players with_faces;
  manual_seed(1);
  Players with_zeros;
  const Var z = noise(1);
  step(with_faces, real, z);
  step(with_zeros, Tensor::zeros_like(real), z);
  return {count_different(with_faces.d.named_parameters(), with_zeros.d.named_parameters()),
          count_different(with_faces.g.named_parameters(), with_zeros.g.named_parameters()),
          count_different(with_faces.d.named_buffers(), with_zeros.d.named_buffers())};
}

// D's gradient of the wrong step against the one that (2p - 1) / N at the logits of the fakes
// gives.
double net_gradient_error() {
  manual_seed(1);
  Players wrong;
  manual_seed(1);
  Players direct;
  const Var z = noise(1);
  wrong_step(wrong, faces(0, batch, -1, 1), z);  // leaves D's gradients where they are

  const Var logits = direct.d(direct.g(z).detach());  // (batch, 1)
  const Var p = ops::sigmoid(logits.detach());
  logits.backward(ops::scale(ops::add_scalar(ops::scale(p, 2), -1), 1.0 / batch));

  double difference = 0, size = 0;
  const Vars a = wrong.d.parameters(), b = direct.d.parameters();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Var ga = a[i].grad(), gb = b[i].grad();
    const float* x = ga.tensor().data<float>();
    const float* y = gb.tensor().data<float>();
    for (std::int64_t k = 0; k < ga.numel(); ++k) {
      const double xk = x[k], yk = y[k];
      difference += (xk - yk) * (xk - yk);
      size += xk * xk;
    }
  }
  return std::sqrt(difference / size);
}

struct Belief {
  double real = 0, fake = 0;
};

// Takes `count` steps after step `first` and returns the means of D over the last five.
Belief play(Players& p, Step step, int first, int count) {
  constexpr int counted = 5;
  Belief mean;
  for (int i = 0; i < count; ++i) {
    const int number = first + i + 1;
    const Seen seen = step(p, faces(number * batch, batch, -1, 1), noise(number));
    if (i < count - counted) continue;
    mean.real += models::mean_belief(models::GanLoss::nonsaturating, seen.real) / counted;
    mean.fake += models::mean_belief(models::GanLoss::nonsaturating, seen.fake) / counted;
  }
  return mean;
}

}  // namespace

GanLoop gan_loop(int steps) {
  check(steps >= 5, "museum", "the loops need at least 5 steps, not ", steps);
  const ContextScope scope;
  Context::current().device = Device::cpu();
  GanLoop f;
  const Different wrong = compare(wrong_step), right = compare(right_step);
  f.wrong_d_differ = wrong.d;
  f.wrong_g_differ = wrong.g;
  f.wrong_statistics_differ = wrong.statistics;
  f.right_d_differ = right.d;
  f.right_g_differ = right.g;
  f.gradient_error = net_gradient_error();

  manual_seed(1);
  Players p;
  f.d_parameters = static_cast<int>(p.d.named_parameters().size());
  f.g_parameters = static_cast<int>(p.g.named_parameters().size());
  f.d_statistics = static_cast<int>(p.d.named_buffers().size());
  f.steps = steps;
  const Belief after_right = play(p, right_step, 0, steps);
  const Belief after_wrong = play(p, wrong_step, steps, steps);
  f.right_real = after_right.real;
  f.right_fake = after_right.fake;
  f.wrong_real = after_wrong.real;
  f.wrong_fake = after_wrong.fake;
  return f;
}

void show_gan_loop() {
  const GanLoop f = gan_loop();
  std::printf(
      "Wrong: D(real) backward; zero D's gradients; D(fake) backward as \"fake\";\n"
      "       D(fake) backward as \"real\", for G, through a D that is not frozen; step D; step "
      "G.\n"
      "Right: zero D; D(real) and D(detached fake) backward; step D;\n"
      "       zero G; D(fake) backward as \"real\", D frozen; step G.\n"
      "What differs:\n"
      "  One step, on faces and once more on zeros in their place. Tensors that differ in any "
      "byte:\n"
      "                                     wrong      right\n"
      "    weights of D after the step      %d of %-2d    %d of %d\n"
      "    weights of G after the step      %d of %-2d    %d of %d\n",
      f.wrong_d_differ, f.d_parameters, f.right_d_differ, f.d_parameters, f.wrong_g_differ,
      f.g_parameters, f.right_g_differ, f.g_parameters);
  std::printf(
      "  In the wrong loop nothing that is trained has ever seen a face. Only D's running "
      "averages\n"
      "  of batch norm, which training does not read, differ: %d of %d.\n"
      "  The two losses on fakes leave 2p - 1 at each logit, p = D(fake): D's gradient is that "
      "one\n"
      "  up to %.2f %%. It is 0 at p = 0.5, and there D goes:\n"
      "                                     D(real)    D(fake)\n"
      "    after %d right steps             %.2f       %.2f\n"
      "    and then %d wrong ones           %.2f       %.2f\n",
      f.wrong_statistics_differ, f.d_statistics, 100 * f.gradient_error, f.steps, f.right_real,
      f.right_fake, f.steps, f.wrong_real, f.wrong_fake);
}

}  // namespace imago::museum
