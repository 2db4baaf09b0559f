// The losses of a GAN's two players. Each is a scalar (), the mean over all scores, in f64 for f64
// scores and else f32. Scores are what D says of each image, (N, 1) as a rule, of any shape; those
// of real and of fake images may differ in number. What the step of G takes must come from a D
// whose parameters are frozen (nn::Frozen), what the step of D takes from detached fakes.
//
//   loss          D ends in    reference line: D cannot tell, at its best answer to that
//   gan           logits       D 2 log 2 (scores 0)      G log 2, minimax -log 2
//   hinge         scores       D 2 (scores 0)            G 0
//   lsgan         scores       D 1/4 (scores 1/2)        G 1/8
//   wasserstein   scores       D 0 (any constant)        G says nothing by itself: no scale
//
// Penalties on D's gradient, which go with any of them, are in nn/gradient_penalty.h, the clipping
// of weights in nn/clip_grad.h.
#pragma once

#include "autograd/var.h"

namespace imago::loss {

// Goodfellow et al. 2014 (arXiv 1406.2661), with D(x) = s(logits). Eq. 1 is the value
//     V(D, G) = E log D(x) + E log(1 - D(G(z))),
// which D maximises: gan_d = -V = bce(real, 1) + bce(fake, 0). It is 2 log 2 where D cannot tell
// real from fake (D = 1/2 everywhere); towards 0 D wins and G has little left to learn from.
//
// real_target in (0, 1] is what D is to say of real images. Below 1, such as 0.9, it is the
// one-sided label smoothing of Salimans et al. 2016 (arXiv 1606.03498, section 3.4): a D that is
// surer than that is pulled back. The target of fakes stays 0: raising it too would teach D to
// think well of fakes where there are no real images. Where real and fake are alike D's best answer
// is then real_target / 2, not 1/2.
Var gan_d(const Var& real_logits, const Var& fake_logits, double real_target = 1);

// What G minimises in practice (section 3 there, "non-saturating"): -E log D(G(z)) = bce(fake, 1).
// log 2 where D = 1/2.
Var gan_g(const Var& fake_logits);

// What eq. 1 literally asks of G: E log(1 - D(G(z))) = -mean softplus(logits), to be minimised. Its
// gradient vanishes while D is sure that the fakes are fake. -log 2 where D = 1/2.
Var gan_g_minimax(const Var& fake_logits);

// The hinge loss of Lim and Ye 2017 (arXiv 1705.02894) as used with spectral normalisation (Miyato
// et al. 2018, arXiv 1802.05957, eq. 16 and 17), for a D without a sigmoid at its end:
//     hinge_d = E max(0, 1 - D(x)) + E max(0, 1 + D(G(z)))
//     hinge_g = -E D(G(z))
// D gains nothing by pushing beyond the margin of 1. hinge_d is 2 where D says 0 everywhere.
Var hinge_d(const Var& real, const Var& fake);
Var hinge_g(const Var& fake);

// Least squares: Mao et al. 2017 (arXiv 1611.04076, eq. 2 with a = 0, b = c = 1), for a D without a
// sigmoid at its end:
//     lsgan_d = 1/2 E (D(x) - 1)^2 + 1/2 E D(G(z))^2
//     lsgan_g = 1/2 E (D(G(z)) - 1)^2
// with the halves of the paper; code without them has twice the loss and twice the gradient, which
// Adam does not notice and SGD does. Scores are pulled to their targets from both sides, so even a
// fake that D takes for real still learns. Where real and fake are alike D says 1/2: lsgan_d is 1/4
// and lsgan_g 1/8. real_target, in (0, 1], replaces the 1 in lsgan_d: smoothing, as above.
Var lsgan_d(const Var& real, const Var& fake, double real_target = 1);
Var lsgan_g(const Var& fake);

// Arjovsky et al. 2017 (arXiv 1701.07875, eq. 2 and algorithm 1), for a critic D of scores:
//     wasserstein_d = E D(G(z)) - E D(x)
//     wasserstein_g = -E D(G(z))
// Over all D of slope at most 1, -wasserstein_d is at most the earth mover's distance between real
// and fake images, and reaches it for the best D. Nothing here bounds the slope: that is for
// clip_weights of nn/clip_grad.h, gradient_penalty of nn/gradient_penalty.h or spectral
// normalisation; with none of them the loss falls without end. 0 where D cannot tell.
Var wasserstein_d(const Var& real, const Var& fake);
Var wasserstein_g(const Var& fake);

}  // namespace imago::loss
