// The flags of evaluate that measure recognition, and which of them go together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/support/catalogue_flags.h"
#include "apps/support/flags.h"

namespace imago::apps {

struct RecognitionFlags {
  CatalogueFlags faces;    // faces.data is evaluate's --data
  std::string recogniser;  // a checkpoint of train_cnn; "": none
  std::string methods;     // "lbp,eigenfaces"; "": none
  std::string task;        // "": what the head of the recogniser is for, else verification
  std::string part;        // "": see open_measured_faces (apps/support/recognition_data.h)
  std::string fit, fit_crop;
  std::string pairs, plots;  // "": none
  std::string weights;       // a file to write the network alone into; "": none
  int gallery_per_person = 1, splits = 1;
  double strangers = 0;
  bool mirror = true;
  std::optional<double> darkness, glare;
  int resamples = 200;
  // Shared with the scores of generators.
  std::string json;
  int count = 0;  // 0: all, or as many as pairs can be made of
  std::uint64_t seed = 1;
};

// All but those that are shared: --data, --count, --json, --seed.
void add_recognition_flags(Flags& flags, RecognitionFlags& values);

// Whether recognition is asked for: by --recogniser or --method.
bool asks_for_recognition(const RecognitionFlags& values);
// Throws UsageError for a flag that only recognition has.
void refuse_recognition_flags(const Flags& flags);
// Throws UsageError for flags of generators, flags that have no effect on what is asked for, and
// values that cannot be used.
void check_recognition_flags(const Flags& flags, const RecognitionFlags& values);

// The methods of --method, in their order. Throws UsageError for others and for one named twice.
std::vector<std::string> method_list(const std::string& methods);
// Whether a method is fitted to images before it is used.
bool needs_fit(const std::string& method);

}  // namespace imago::apps
