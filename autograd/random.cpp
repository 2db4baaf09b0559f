#include "autograd/random.h"

#include "kernels/random/random.h"

namespace imago {

Var randn(const Shape& shape, Device device, DType dtype) {
  require_device("randn", device);
  return kernels::normal(shape, dtype, Context::current().generator.next());
}

Var rand(const Shape& shape, Device device, DType dtype) {
  require_device("rand", device);
  return kernels::uniform(shape, dtype, Context::current().generator.next());
}

}  // namespace imago
