#include "models/checkpoint_entries.h"

#include <charconv>

namespace imago::models {
namespace {

template <class T>
T parsed(const SafetensorsFile& file, const std::string& key) {
  const std::string& text = file.metadata_entry(key);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc() && end == text.data() + text.size(), "checkpoint", file.path, ": ",
        key, " should be a number, not '", text, "'");
  return value;
}

}  // namespace

std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::uint64_t whole_entry(const SafetensorsFile& file, const std::string& key) {
  return parsed<std::uint64_t>(file, key);
}

double number_entry(const SafetensorsFile& file, const std::string& key) {
  return parsed<double>(file, key);
}

}  // namespace imago::models
