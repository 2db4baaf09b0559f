#include "apps/support/device.h"

#include "tensor/context.h"
#include "tensor/error.h"

namespace imago::apps {

void add_device_flag(Flags& flags, std::string& name) {
  flags.text("--device", name, "cpu, cuda, or auto: a GPU where there is one");
}

Device use_device(const std::string& name) {
  try {
    const Device device = Device::parse(name);
    Context::current().device = device;
    return device;
  } catch (const Error& error) {
    throw UsageError("--device " + name + ": " + error.what());
  }
}

}  // namespace imago::apps
