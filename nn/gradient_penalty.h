// Penalties on the gradient of D with respect to the images it sees, to be added to D's loss. Their
// own gradients, with respect to D's parameters, are second derivatives of D: D may consist of any
// operations on Vars, as all of them can be differentiated twice.
//
// D maps images (N, H, W, C), or rows (N, F), to scores whose outermost extent is N: (N), (N, 1),
// or several an image, (N, h, w, 1), which count as their sum. Image n's gradient is taken from the
// sum of all scores, so it is that of its own score only where D looks at each image by itself:
// batch normalisation in training mode mixes them, and the paper of WGAN-GP drops it for that
// reason (layer, group and instance normalisation do not mix). D is called once; in training mode
// that pass counts for running averages and for the power iteration of spectral normalisation.
//
// Results are scalars (), f64 for f64 images and else f32. Images are constants: nothing is
// backpropagated into what made them. Called while no graph is recorded (NoGrad), the value is the
// same and is a constant. Errors: shapes or dtypes that do not fit, images that are no floats,
// scores whose outermost extent is not N, a D that does not depend on its images.
#pragma once

#include <functional>

#include "autograd/var.h"

namespace imago::loss {

// D as a function of images; conditions, such as labels, are captured.
using Critic = std::function<Var(const Var&)>;

// WGAN-GP, Gulrajani et al. 2017 (arXiv 1704.00028, eq. 3), without its factor lambda (10 there):
//     mean over n of (||d D(x_n) / d x_n||_2 - target)^2,   x_n = mix_n real_n + (1 - mix_n) fake_n
// The best critic of the Wasserstein distance has slope 1 along lines between real and fake, hence
// the place and the target. real, fake (N, H, W, C) of one shape and dtype, the fakes detached; mix
// (N) in [0, 1] of their dtype, as rand({N}) gives. target >= 0.
//
// Where the gradient of an image is exactly 0 its norm has no derivative; 0 is taken. That image
// adds target^2 to the value and nothing, above all no NaN, to the gradients.
Var gradient_penalty(const Critic& D, const Tensor& real, const Tensor& fake, const Tensor& mix,
                     double target = 1);

// R1, Mescheder et al. 2018 (arXiv 1801.04406, eq. 9), without its factor gamma / 2 (gamma 10
// there), by which the caller multiplies:
//     mean over n of ||d D(x_n) / d x_n||^2
// at real images (N, H, W, C) alone: once G is where the data are, D is to have no slope there that
// would push G away again. With it the unregularised cycling of simple GANs converges. Smooth
// everywhere: there is no root in it.
Var r1_penalty(const Critic& D, const Tensor& real);

}  // namespace imago::loss
