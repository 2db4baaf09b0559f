// The curves of a GAN training run as a picture.
#pragma once

#include <string>
#include <vector>

#include "apps/support/run_folder.h"
#include "models/gan_options.h"

namespace imago::apps {

// loss.svg from the rows of metrics.jsonl. What the values are held against, and what D's scores
// are called, depends on the loss.
std::string gan_chart(const std::vector<Json>& rows, const models::GanTrainerOptions& options);

}  // namespace imago::apps
