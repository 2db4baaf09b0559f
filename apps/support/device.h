// The --device flag: where a program computes.
#pragma once

#include <string>

#include "tensor/device.h"

// So that not everything that has a run parses CLI11.
namespace CLI {
class App;
}  // namespace CLI

namespace imago::apps {

// Adds --device cpu|cuda|auto, which goes into `name`.
void add_device_flag(CLI::App& app, std::string& name);

// Makes the device of that name the one of the Context, where models and random tensors are made,
// and returns it. Throws UsageError for a device that this build or machine does not have.
Device use_device(const std::string& name);

}  // namespace imago::apps
