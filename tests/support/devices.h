// The devices that one suite tests: the CPU, and the CUDA device, real or emulated, in builds that
// have one. There a missing GPU is an error, not a suite that tests less.
#pragma once

#include <doctest/doctest.h>

#include <vector>

#include "tensor/context.h"
#include "tensor/device.h"

namespace imago::test {

inline std::vector<Device> devices() {
  std::vector<Device> all{Device::cpu()};
#if IMAGO_WITH_DEVICE
  require_device("test", Device::cuda());
  all.push_back(Device::cuda());
#endif
  return all;
}

// Runs f(device) for each of them, new tensors going to that device, and names the device in
// messages.
template <class F>
void for_each_device(F&& f) {
  for (const Device device : devices()) {
    CAPTURE(device);
    const ContextScope scope;
    Context::current().device = device;
    f(device);
  }
}

}  // namespace imago::test
