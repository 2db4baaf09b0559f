// Whether a conditional generator draws what it is asked for, as the recogniser sees it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/support/run_folder.h"
#include "apps/support/sampling.h"
#include "data/faces.h"
#include "models/face_features.h"

namespace imago::apps {

// Tells classes from the attributes that a recogniser sees. Classes of procedural labels that are
// made of attributes (data/labels.h: glasses, beard, long-hair, smile, expression, occlusion) are
// known, and any whose label is called as an attribute and whose classes are among its values.
class ClassReader {
 public:
  // Throws, saying why, where the classes are none of these, or the network lacks an attribute.
  ClassReader(const models::FaceFeatures& network, const Classes& classes);

  // How many of the rows of values (N, attributes), i64 as of FaceFeatures::attributes_of, are seen
  // as this class.
  std::int64_t count(const Tensor& values, std::int64_t label) const;

 private:
  // An image with that value of that attribute is of that class, unless a rule before said another.
  struct Rule {
    std::int64_t attribute = 0;
    std::optional<std::int64_t> value;  // nothing: any
    std::int64_t label = 0;
  };
  std::vector<Rule> rules_;
};

// Of one class: how many images were asked for and are seen as it, and how many real images of it
// were looked at and are seen as it; these say how far the recogniser can be trusted.
struct ClassCheck {
  std::string name;
  std::int64_t requested = 0, confirmed = 0, real = 0, real_confirmed = 0;
};

struct LabelCheck {
  std::string label;
  std::string features;             // what the recogniser calls itself
  std::vector<ClassCheck> classes;  // none where the note says why nothing could be confirmed
  std::string note;                 // "" where there is nothing to say

  ClassCheck all() const;  // the sums, called "all"
};

// Draws `each` images of every class, and looks at as many real ones at most, chosen by the seed.
// `real`: labelled images, whose classes are matched by name; null where there are none.
LabelCheck check_labels(models::FaceFeatures& network, const Sampler& generator, std::int64_t each,
                        std::uint64_t seed, const data::Faces* real);

// A table for people, and as JSON.
void print_labels(const LabelCheck& labels);
Json to_json(const LabelCheck& labels);

}  // namespace imago::apps
