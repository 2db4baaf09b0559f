#include "tensor/device.h"

#include <ostream>

#include "tensor/error.h"

namespace imago {

std::string Device::to_string() const {
  return is_cpu() ? "cpu" : "cuda:" + std::to_string(index);
}

std::ostream& operator<<(std::ostream& out, Device device) {
  return out << device.to_string();
}

void require_kernel_device(const char* op, Device device) {
  check(device.is_cpu(), op,
        "no CUDA kernel in this build (configured with IMAGO_CUDA=" IMAGO_CUDA_MODE ")");
}

}  // namespace imago
