// The curves of a GAN training run as a picture.
#pragma once

#include <string>
#include <vector>

#include "apps/support/run_folder.h"
#include "models/gan_options.h"

namespace imago::apps {

// loss.svg from the rows of metrics.jsonl. What the values are held against, and what D's scores
// are called, depends on the loss. `classes`: how many an AC-GAN's classifier tells apart.
std::string gan_chart(const std::vector<Json>& rows, const models::GanTrainerOptions& options,
                      int classes = 0);

}  // namespace imago::apps
