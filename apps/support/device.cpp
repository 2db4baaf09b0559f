#include "apps/support/device.h"

#include <CLI/CLI.hpp>

#include "apps/support/cli.h"
#include "tensor/context.h"
#include "tensor/error.h"

namespace imago::apps {

void add_device_flag(CLI::App& app, std::string& name) {
  app.add_option("--device", name, "cpu, cuda, or auto: a GPU where there is one")
      ->capture_default_str();
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
