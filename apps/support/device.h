// The --device flag: where a program computes.
#pragma once

#include <string>

#include "apps/support/flags.h"
#include "tensor/device.h"

namespace imago::apps {

// Adds --device cpu|cuda|auto, which goes into `name`.
void add_device_flag(Flags& flags, std::string& name);

// Makes the device of that name the one of the Context, where models and random tensors are made,
// and returns it. Throws UsageError for a device that this build or machine does not have.
Device use_device(const std::string& name);

}  // namespace imago::apps
