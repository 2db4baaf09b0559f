// What a GAN needs around its loop: labels of the logits' shape, images in the range of the
// generator's tanh, first weights that keep tanh out of its flat ends.
#include <cmath>
#include <cstdio>

#include "apps/museum/exhibits.h"
#include "apps/museum/support.h"
#include "autograd/random.h"
#include "models/seed003.h"
#include "nn/init.h"
#include "nn/loss.h"

namespace imago::museum {
namespace {

constexpr int batch = 16;

// What convolutions start with where nobody says otherwise: uniform in +-1 / sqrt(fan in).
void init_by_default(nn::Sequential& net) {
  nn::init_weights(net, [](const Var& w) {
    const double bound = 1 / std::sqrt(static_cast<double>(nn::fan_of(w.shape(), nn::Fan::in)));
    nn::fill_uniform(w, -bound, bound);
  });
}

// Of all values of images.
struct Pixels {
  double deviation = 0;
  double below_zero = 0, below_minus_one = 0, saturated = 0;  // shares
};

Pixels pixels_of(const Tensor& images) {
  const float* x = images.data<float>();
  const auto count = static_cast<double>(images.numel());
  double sum = 0, squares = 0;
  Pixels pixels;
  for (std::int64_t i = 0; i < images.numel(); ++i) {
    const double value = x[i];
    sum += value;
    squares += value * value;
    pixels.below_zero += value < 0 ? 1 / count : 0;
    pixels.below_minus_one += value < -1 ? 1 / count : 0;
    pixels.saturated += std::abs(value) > 0.9 ? 1 / count : 0;
  }
  pixels.deviation = std::sqrt(squares / count - sum / count * (sum / count));
  return pixels;
}

}  // namespace

GanSetup gan_setup() {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  manual_seed(1);
  GanSetup f;
  const NoGrad no_grad;
  nn::Sequential d = models::seed003_discriminator();
  const Var logits = d(faces(0, batch, -1, 1));  // (batch, 1)
  f.error = message_of([&] {
    const Var maps = logits.tensor().reshape({batch, 1, 1, 1});  // as a last convolution gives them
    loss::bce_with_logits(maps, Tensor::full({batch}, 1));
  });
  f.right_loss = loss::bce_with_logits(logits, Tensor::full({batch, 1}, 1)).item();

  nn::Sequential g = models::seed003_generator();
  const Var z = randn({batch, 100});
  const Pixels right = pixels_of(g(z).tensor());
  init_by_default(g);
  const Pixels wrong = pixels_of(g(z).tensor());
  f.wrong_below = right.below_zero;
  f.right_below = right.below_minus_one;
  f.wrong_deviation = wrong.deviation;
  f.right_deviation = right.deviation;
  f.wrong_saturated = wrong.saturated;
  f.right_saturated = right.saturated;
  return f;
}

void show_gan_setup() {
  const GanSetup f = gan_setup();
  std::printf(
      "Wrong: output (N, 1, 1, 1) against labels (N); real_label, fake_label, z_dim, device and "
      "the\n"
      "       loader used but never defined; faces in [0, 1]; the weights a layer happens to "
      "have.\n"
      "Right: flatten to (N, 1), labels (N, 1); define them (a C++ compiler insists); faces in\n"
      "       [-1, 1], where the generator's tanh ends; weights from N(0, 0.02).\n"
      "What differs:\n"
      "  The loss of the wrong shapes is refused:\n"
      "    %s\n"
      "  With (N, 1) on both sides it is %.2f for an untrained D (log 2 = 0.69 for one that says "
      "1/2).\n"
      "  An untrained G against the range of the faces, pixels that no face can have:\n"
      "    faces in [0, 1]: %.1f %%, so that D need only look for them;  in [-1, 1]: %.1f %%\n"
      "  An untrained G, by its first weights:          deviation of pixels   beyond +-0.9\n"
      "    uniform in +-1 / sqrt(fan in)                %.2f                  %.1f %%\n"
      "    N(0, 0.02)                                   %.2f                  %.1f %%\n"
      "  Beyond +-0.9 tanh lets less than a fifth of a gradient through, and G learns slowly "
      "there.\n",
      f.error.c_str(), f.right_loss, 100 * f.wrong_below, 100 * f.right_below, f.wrong_deviation,
      100 * f.wrong_saturated, f.right_deviation, 100 * f.right_saturated);
}

}  // namespace imago::museum
