#include "apps/support/training_warnings.h"

#include <cstdio>

namespace imago::apps {

void tell_warnings(const std::vector<models::TrainingWarning>& warnings, Json& row,
                   Progress& progress) {
  for (const models::TrainingWarning& warning : warnings) {
    progress.finish();
    std::printf("Step %lld, %s: %s.\n", static_cast<long long>(row.at("step").get<std::int64_t>()),
                warning.name.c_str(), warning.text.c_str());
    row["warnings"].push_back(warning.name);
  }
}

std::optional<double> number_of(const Json& row, const std::string& key) {
  const auto entry = row.find(key);
  if (entry == row.end() || !entry->is_number()) return {};
  return entry->get<double>();
}

}  // namespace imago::apps
