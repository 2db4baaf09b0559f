#include "autograd/random.h"

#include "kernels/random/random.h"

namespace imago {

Var randn(const Shape& shape, Device device, DType dtype) {
  require_device("randn", device);  // before a draw is taken
  return kernels::normal(shape, dtype, Context::current().generator.next(), device);
}

Var rand(const Shape& shape, Device device, DType dtype) {
  require_device("rand", device);
  return kernels::uniform(shape, dtype, Context::current().generator.next(), device);
}

}  // namespace imago
