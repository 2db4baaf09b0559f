#pragma once

#include <string>

namespace imago::models {

// What went wrong in a training: "D wins", "mode collapse", "overfitting", and a sentence on what
// that means and what helps.
struct TrainingWarning {
  std::string name, text;
};

}  // namespace imago::models
