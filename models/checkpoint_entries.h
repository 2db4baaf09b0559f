// Numbers in the metadata of checkpoints, which is text.
#pragma once

#include <cstdint>
#include <string>

#include "nn/safetensors.h"

namespace imago::models {

// The shortest text that reads back as the same number.
std::string shortest(double value);

// The entry as a number; throws, naming file and entry, when it is missing or something else.
std::uint64_t whole_entry(const SafetensorsFile& file, const std::string& key);
double number_entry(const SafetensorsFile& file, const std::string& key);

}  // namespace imago::models
