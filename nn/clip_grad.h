// Keeping gradients within bounds, between backward() and the optimiser's step. They are changed in
// place; parameters without a gradient are passed over. Nothing is read back from the device.
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

}  // namespace imago::optim
