// The devices that one suite tests: the CPU, and the CUDA device where this build has one, real or
// emulated. IMAGO_REQUIRE_CUDA=1 in the environment makes a missing GPU an error.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <string_view>
#include <vector>

#include "tensor/context.h"
#include "tensor/device.h"

namespace imago::test {

inline std::vector<Device> devices() {
  std::vector<Device> all{Device::cpu()};
  const char* required = std::getenv("IMAGO_REQUIRE_CUDA");
  if (required && std::string_view(required) == "1") require_device("test", Device::cuda());
  if (cuda_available()) all.push_back(Device::cuda());
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
