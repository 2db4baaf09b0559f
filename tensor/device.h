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
  // One CUDA device is used, index 0; CUDA_VISIBLE_DEVICES says which one of the machine that is.
  static Device cuda(int index = 0) { return {DeviceType::cuda, index}; }
  // The fastest device: a GPU if this build can use one and there is one, else the CPU. Never the
  // emulated device, which is slow.
  static Device best();
  // "cpu", "cuda", "cuda:0", or "auto" for best(); throws on anything else and where the device
  // cannot be used.
  static Device parse(const std::string& text);

  bool is_cpu() const { return type == DeviceType::cpu; }
  bool is_cuda() const { return type == DeviceType::cuda; }
  bool operator==(const Device&) const = default;
  std::string to_string() const;  // "cpu" or "cuda:0"
};

std::ostream& operator<<(std::ostream& out, Device device);

// Whether tensors can live on Device::cuda(): this build has CUDA kernels and there is a GPU, or
// the kernels are emulated.
bool cuda_available();

// For people: "cpu, 2 threads", "cuda:0, NVIDIA H200, 139.8 GiB", "cuda:0, emulated on the CPU".
std::string describe(Device device);

// The software a GPU is used by: "CUDA driver 12.8, runtime 12.4", the newest CUDA that the driver
// takes and the one that the program was built with. Empty for the CPU and the emulated device.
std::string driver_versions(Device device);

// Throws unless tensors can live on `device`: "[op] no CUDA kernel in this build (configured with
// IMAGO_CUDA=OFF)", or what CUDA says about a missing GPU or driver.
void require_device(const char* op, Device device);

}  // namespace imago
