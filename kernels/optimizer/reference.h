// The specifications of the optimisers and of moving averages: the formulas of their papers for
// one element in f64, in step t = 1, 2, .... What a step changes is passed by reference; where an
// option is off, what it needs (a buffer, a mean) is left alone.
#pragma once

#include "kernels/optimizer/adam.h"
#include "kernels/optimizer/rmsprop.h"
#include "kernels/optimizer/sgd.h"

namespace imago::kernels {

// m and v are the moments, before their correction.
void adam_reference(double& p, double g, double& m, double& v, double lr, int t,
                    const AdamConstants& constants);

// `dampening` holds from the second step on.
void sgd_reference(double& p, double g, double& buffer, double lr, int t, double dampening,
                   const SgdConstants& constants);

void rmsprop_reference(double& p, double g, double& square, double& mean, double& buffer, double lr,
                       const RmspropConstants& constants);

// `weight` is 1 - decay.
void ema_reference(double& average, double value, double weight);

}  // namespace imago::kernels
