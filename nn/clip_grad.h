// Keeping gradients within bounds, between backward() and the optimiser's step; and weights, after
// it. They are changed in place; parameters without a gradient are passed over where gradients are
// clipped. Nothing is read back from the device.
#pragma once

#include "autograd/var.h"

namespace imago::optim {

// Scales all gradients by one factor, min(1, max_norm / (norm + 1e-6)), with norm the Euclidean
// norm of all of them together, which it returns as a tensor () beside them (Pascanu et al. 2013,
// arXiv 1211.5063). A NaN among them makes the norm NaN and all of them NaN. Without any gradient
// the norm is 0 f32 on the Context's device. max_norm > 0.
Tensor clip_grad_norm(const Vars& parameters, double max_norm);
// The same with { max_norm } in a slot (1,) f32 or f64 beside the gradients, which a captured step
// reads at each replay; the number above it keeps for ever.
Tensor clip_grad_norm(const Vars& parameters, const Tensor& slot);

// Cuts every element to [-limit, limit]. limit > 0.
void clip_grad_value(const Vars& parameters, double limit);
// The same with { limit } in a slot, as above.
void clip_grad_value(const Vars& parameters, const Tensor& slot);

// Cuts every element of the parameters themselves to [-limit, limit], in place as an optimiser
// writes, with a new version: how WGAN (Arjovsky et al. 2017, arXiv 1701.07875, algorithm 1, limit
// 0.01) bounds the slope of its critic after each of its steps. Parameters f32 or all f64. It works
// on all it is given, gamma and beta of normalisations too. NaN stays. limit > 0.
void clip_weights(const Vars& parameters, double limit);
// The same with { limit } in a slot, as above.
void clip_weights(const Vars& parameters, const Tensor& slot);

}  // namespace imago::optim
