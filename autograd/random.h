// Random constants from the Context's generator: each call is one draw.
#pragma once

#include "autograd/var.h"

namespace imago {

// Standard normals, and uniforms in [0, 1), made on `device`. Element i is a function of (seed,
// step, draw number, i): the same bits on every device.
Var randn(const Shape& shape, Device device = Context::current().device, DType dtype = DType::f32);
Var rand(const Shape& shape, Device device = Context::current().device, DType dtype = DType::f32);

}  // namespace imago
