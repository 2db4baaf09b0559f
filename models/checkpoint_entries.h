// What the metadata of checkpoints says: of which kind they are, and numbers, written as text.
#pragma once

#include <cstdint>
#include <string>

#include "nn/safetensors.h"

namespace imago::models {

// The "format" of each kind of file that training writes.
namespace checkpoint_format {
inline constexpr const char* gan = "imago-gan-1";
inline constexpr const char* conditional_gan = "imago-conditional-gan-1";
inline constexpr const char* vae = "imago-vae-1";
inline constexpr const char* translation = "imago-translation-1";
inline constexpr const char* features = "imago-features-1";
inline constexpr const char* recogniser = "imago-recogniser-1";
inline constexpr const char* recogniser_weights = "imago-recogniser-weights-1";
}  // namespace checkpoint_format

bool has_format(const SafetensorsFile& file, const std::string& format);

// Throws for a file that has another format than the caller can use, "a VAE checkpoint" for one.
// The message names the file and, where it is of a kind above, what it holds, which program wrote
// it and which ones take it.
[[noreturn]] void refuse_checkpoint(const SafetensorsFile& file, const std::string& wanted);

// The shortest text that reads back as the same number.
std::string shortest(double value);

// The entry as a number; throws, naming file and entry, when it is missing or something else.
std::uint64_t whole_entry(const SafetensorsFile& file, const std::string& key);
double number_entry(const SafetensorsFile& file, const std::string& key);

}  // namespace imago::models
