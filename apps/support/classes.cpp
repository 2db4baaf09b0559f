#include "apps/support/classes.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <utility>

#include "apps/support/flags.h"
#include "apps/support/run_folder.h"
#include "kernels/random/random.h"
#include "models/conditional_gan_trainer.h"
#include "tensor/error.h"

namespace imago::apps {
namespace {

constexpr const char* label_key = "label";
constexpr const char* names_key = "class_names";
constexpr const char* times_key = "class_images";

// In ASCII, whatever UTF-8 the names are.
std::string ascii(const Json& json) {
  return json.dump(-1, ' ', true);
}

// An entry that is a JSON array of `count` things.
template <class T>
std::vector<T> array_entry(const SafetensorsFile& file, const char* key, std::size_t count) {
  const Json json = Json::parse(file.metadata_entry(key), nullptr, false);
  std::vector<T> values;
  try {
    values = json.get<std::vector<T>>();
  } catch (const Json::exception&) {
  }
  check(values.size() == count, "checkpoint", file.path, ": ", key, " must be a list of ", count,
        ", one for each class, but is ", file.metadata_entry(key));
  return values;
}

}  // namespace

Classes classes_of(const data::Labels& labels, const std::string& label) {
  return {std::filesystem::path(label).stem().string(), labels.classes, labels.counts()};
}

void add_classes(Metadata& metadata, const Classes& classes) {
  metadata[label_key] = ascii(classes.label);
  metadata[names_key] = ascii(classes.names);
  metadata[times_key] = ascii(classes.times);
}

Classes read_classes(const SafetensorsFile& file) {
  const auto count = static_cast<std::size_t>(models::conditional_gan_spec_of(file).classes);
  Classes classes;
  if (!file.metadata.contains(names_key)) {
    for (std::size_t i = 0; i < count; ++i) classes.names.push_back(std::to_string(i));
    classes.times.assign(count, 1);
    return classes;
  }
  const Json label = Json::parse(file.metadata_entry(label_key), nullptr, false);
  check(label.is_string(), "checkpoint", file.path, ": ", label_key, " must be a word in quotes");
  classes.label = label.get<std::string>();
  classes.names = array_entry<std::string>(file, names_key, count);
  classes.times = array_entry<std::int64_t>(file, times_key, count);
  const auto bad = [](std::int64_t n) { return n < 0; };
  check(std::none_of(classes.times.begin(), classes.times.end(), bad) &&
            std::accumulate(classes.times.begin(), classes.times.end(), std::int64_t{0}) > 0,
        "checkpoint", file.path, ": ", times_key, " must be numbers of images");
  return classes;
}

std::int64_t class_named(const Classes& classes, const std::string& text, const std::string& flag) {
  const auto found = std::find(classes.names.begin(), classes.names.end(), text);
  if (found != classes.names.end()) return found - classes.names.begin();
  const bool number = !text.empty() && text.size() < 10 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  if (number && std::cmp_less(std::stoll(text), classes.names.size())) return std::stoll(text);
  throw UsageError(flag + ": there is no class '" + text + "' of " +
                   (classes.label.empty() ? std::string("this generator") : classes.label) +
                   "; there are " + list_of(classes.names));
}

std::string list_of(const std::vector<std::string>& names) {
  constexpr std::size_t most = 20;
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) {
    list += (i ? ", " : "") + (names[i].empty() ? std::string("''") : names[i]);
  }
  if (names.size() > most) list += " and " + std::to_string(names.size() - most) + " more";
  return list;
}

std::vector<std::int64_t> draw_classes(const Classes& classes, std::int64_t count,
                                       std::uint64_t seed) {
  std::vector<double> up_to;  // where the share of each class ends, in images
  double sum = 0;
  for (const std::int64_t n : classes.times) up_to.push_back(sum += static_cast<double>(n));
  // Draw 1: the noise is draw 0.
  const Tensor uniform = kernels::uniform({count}, DType::f64, {seed, 0, 1}, Device::cpu());
  const double* u = uniform.data<double>();
  std::vector<std::int64_t> drawn;
  for (std::int64_t i = 0; i < count; ++i) {
    // The first whose share ends above u: one without images has an empty share.
    drawn.push_back(std::upper_bound(up_to.begin(), up_to.end(), u[i] * sum) - up_to.begin());
  }
  return drawn;
}

}  // namespace imago::apps
