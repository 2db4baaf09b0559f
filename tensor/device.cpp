#include "tensor/device.h"

#include <ostream>

#include "tensor/backend.h"
#include "tensor/context.h"
#include "tensor/error.h"

namespace imago {

Device Device::best() {
  return !backend::emulated && cuda_available() ? cuda() : cpu();
}

Device Device::parse(const std::string& text) {
  Device device;
  if (text == "auto") return best();
  if (text == "cuda" || text == "cuda:0") device = cuda();
  check(device.is_cuda() || text == "cpu", "device", "'", text,
        "' is no device; use cpu, cuda or auto (another GPU than the first is chosen with "
        "CUDA_VISIBLE_DEVICES)");
  require_device("device", device);
  return device;
}

std::string Device::to_string() const {
  return is_cpu() ? "cpu" : "cuda:" + std::to_string(index);
}

std::ostream& operator<<(std::ostream& out, Device device) {
  return out << device.to_string();
}

bool cuda_available() {
  return backend::why_no_device().empty();
}

std::string describe(Device device) {
  if (device.is_cuda()) return device.to_string() + ", " + backend::device_name();
  const int threads = num_threads();
  return "cpu, " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
}

std::string driver_versions(Device device) {
  return device.is_cuda() ? backend::driver_versions() : "";
}

void require_device(const char* op, Device device) {
  if (device.is_cpu()) return;
  const std::string& why = backend::why_no_device();
  check(why.empty(), op, why);
  check(device.index == 0, op, device, " is not used: there is one CUDA device, cuda:0; set ",
        "CUDA_VISIBLE_DEVICES to choose which GPU of the machine it is");
}

}  // namespace imago
