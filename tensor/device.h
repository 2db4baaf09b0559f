// Where a tensor lives.
#pragma once

#include <iosfwd>
#include <string>

namespace imago {

enum class DeviceType : unsigned char { cpu, cuda };

struct Device {
  DeviceType type = DeviceType::cpu;
  int index = 0;

  static Device cpu() { return {}; }
  static Device cuda(int index = 0) { return {DeviceType::cuda, index}; }
  // The fastest device this build can run kernels on.
  static Device best() { return cpu(); }

  bool is_cpu() const { return type == DeviceType::cpu; }
  bool operator==(const Device&) const = default;
  std::string to_string() const;  // "cpu" or "cuda:0"
};

std::ostream& operator<<(std::ostream& out, Device device);

// Throws "[op] no CUDA kernel in this build (configured with IMAGO_CUDA=...)" for a CUDA device.
void require_kernel_device(const char* op, Device device);

}  // namespace imago
