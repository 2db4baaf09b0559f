// Recognition as pictures: SVG files.
#pragma once

#include <string>
#include <vector>

#include "models/confusion.h"
#include "models/verification.h"

namespace imago::apps {

struct RocCurve {
  std::string name;
  std::vector<models::RocPoint> points;
};
// The share of genuine pairs accepted over that of impostor pairs, which is on a logarithmic axis:
// what counts is how few strangers get in.
std::string roc_svg(const std::vector<RocCurve>& curves);

struct CmcCurve {
  std::string name;
  std::vector<double> shares;  // found within rank 1, 2, ...
};
std::string cmc_svg(const std::vector<CmcCurve>& curves);

// More classes than this make no readable table.
inline constexpr std::size_t most_confusion_classes = 60;
// A table of truths (rows) and answers (columns), each cell as dark as its share of the row, with
// the number in it where there are few enough classes. At most most_confusion_classes; throws for
// more.
std::string confusion_svg(const models::Confusion& confusion);

}  // namespace imago::apps
