#include "tensor/error.h"

#include "tensor/layer_scope.h"

namespace imago {

void fail_with(const std::string& message) {
  const std::string layer = LayerScope::path();
  throw Error(layer.empty() ? message : message + " (in layer " + layer + ")");
}

}  // namespace imago
