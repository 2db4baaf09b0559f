#include "kernels/optimizer/reference.h"

#include <cmath>

namespace imago::kernels {

// Kingma & Ba, algorithm 1, with both moments corrected before use; Loshchilov & Hutter,
// algorithm 2.
void adam_reference(double& p, double g, double& m, double& v, double lr, int t,
                    const AdamConstants& c) {
  const double before = p;
  if (!c.decoupled) g += c.weight_decay * p;
  m = c.beta1 * m + (1 - c.beta1) * g;
  v = c.beta2 * v + (1 - c.beta2) * g * g;
  const double corrected_m = m / (1 - std::pow(c.beta1, t));
  const double corrected_v = v / (1 - std::pow(c.beta2, t));
  p -= lr * corrected_m / (std::sqrt(corrected_v) + c.eps);
  if (c.decoupled) p -= lr * c.weight_decay * before;
}

void sgd_reference(double& p, double g, double& buffer, double lr, int t, double dampening,
                   const SgdConstants& c) {
  g += c.weight_decay * p;
  if (c.momentum == 0) {
    p -= lr * g;
    return;
  }
  buffer = t == 1 ? g : c.momentum * buffer + (1 - dampening) * g;
  p -= lr * (c.nesterov ? g + c.momentum * buffer : buffer);
}

void rmsprop_reference(double& p, double g, double& square, double& mean, double& buffer, double lr,
                       const RmspropConstants& c) {
  g += c.weight_decay * p;
  square = c.alpha * square + (1 - c.alpha) * g * g;
  double variance = square;
  if (c.centered) {
    mean = c.alpha * mean + (1 - c.alpha) * g;
    variance = square - mean * mean;
  }
  double d = g / (std::sqrt(variance) + c.eps);
  if (c.momentum != 0) d = buffer = c.momentum * buffer + d;
  p -= lr * d;
}

void ema_reference(double& average, double value, double weight) {
  average = (1 - weight) * average + weight * value;
}

}  // namespace imago::kernels
