// The classes that a conditional GAN draws, as its run and its checkpoint know them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/labels.h"
#include "nn/safetensors.h"

namespace imago::apps {

struct Classes {
  std::string label;                // "glasses"; of a text file its name without folder and ending
  std::vector<std::string> names;   // K
  std::vector<std::int64_t> times;  // how many images of the training data each class has

  bool operator==(const Classes&) const = default;
};

// Those of the images of a run; `label` is --labels.
Classes classes_of(const data::Labels& labels, const std::string& label);

// As entries of a checkpoint's metadata, and back; label and names are UTF-8. Where a conditional
// GAN was trained by another program, which gave no names, the classes are "0", "1", ..., all
// equally common. Throws, naming the file, when the entries are not those of so many classes.
void add_classes(Metadata& metadata, const Classes& classes);
Classes read_classes(const SafetensorsFile& file);

// The number of a class by its name, or else by its number. Throws UsageError, listing the classes,
// when it is neither; `flag` is where the text came from.
std::int64_t class_named(const Classes& classes, const std::string& text, const std::string& flag);

// "no, yes": at most twenty names, then how many more there are.
std::string list_of(const std::vector<std::string>& names);

// A class for each of `count` samples, drawn as often as it comes in the training data. That of
// sample i depends on (seed, i) only.
std::vector<std::int64_t> draw_classes(const Classes& classes, std::int64_t count,
                                       std::uint64_t seed);

}  // namespace imago::apps
