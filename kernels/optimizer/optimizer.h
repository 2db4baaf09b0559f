// All that writes parameters and gradients in place, many tensors in one pass over memory: the
// optimisers, moving averages, clipping.
#pragma once

#include "kernels/optimizer/adam.h"
#include "kernels/optimizer/clip.h"
#include "kernels/optimizer/ema.h"
#include "kernels/optimizer/rmsprop.h"
#include "kernels/optimizer/sgd.h"
