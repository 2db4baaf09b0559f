// What a diagnosis of a run says, told to the user and kept in the run's metrics.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/support/progress.h"
#include "apps/support/run_folder.h"
#include "models/training_warning.h"

namespace imago::apps {

// Prints warnings that belong to a row of metrics.jsonl which is about to be written, and adds
// their names to it.
void tell_warnings(const std::vector<models::TrainingWarning>& warnings, Json& row,
                   Progress& progress);

// The number under a key of a row; none where there is no such key, or null: it was not finite.
std::optional<double> number_of(const Json& row, const std::string& key);

}  // namespace imago::apps
