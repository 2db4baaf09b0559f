#include "models/checkpoint_entries.h"

#include <charconv>

namespace imago::models {
namespace {

// A kind of checkpoint, as a message tells of it.
struct Kind {
  const char *format, *holds, *writer, *takers;
};

constexpr const char* drawing_programs = "generate and evaluate --generator take it";
constexpr Kind kinds[] = {
    {checkpoint_format::gan, "a GAN", "train_gan", drawing_programs},
    {checkpoint_format::conditional_gan, "a conditional GAN", "train_gan --labels",
     drawing_programs},
    {checkpoint_format::vae, "a VAE", "train_vae", drawing_programs},
    {checkpoint_format::translation, "an image-to-image network", "train_translation",
     "translate and evaluate --translator take it"},
    {checkpoint_format::features, "weights of face features", "train_features",
     "--features of evaluate takes them"},
    {checkpoint_format::recogniser, "a recogniser", "train_cnn", "evaluate takes it"},
    {checkpoint_format::recogniser_weights, "weights of a recogniser", "train_cnn",
     "evaluate takes them"}};

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

bool has_format(const SafetensorsFile& file, const std::string& format) {
  const auto entry = file.metadata.find("format");
  return entry != file.metadata.end() && entry->second == format;
}

void refuse_checkpoint(const SafetensorsFile& file, const std::string& wanted) {
  for (const Kind& kind : kinds) {
    if (!has_format(file, kind.format)) continue;
    fail("checkpoint", file.path, " holds ", kind.holds, ", written by ", kind.writer,
         ", and is not ", wanted, "; ", kind.takers);
  }
  fail("checkpoint", file.path, " is not ", wanted);
}

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
