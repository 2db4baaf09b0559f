// Looking inside a run: --profile, --detect-anomaly and --summary.
#pragma once

#include <memory>
#include <optional>

#include "apps/support/flags.h"
#include "apps/support/run_folder.h"
#include "autograd/anomaly.h"
#include "models/conditional_gan.h"
#include "models/gan.h"
#include "tensor/profiler.h"

namespace imago::apps {

struct InspectionOptions {
  bool profile = false;
  bool anomaly = false;
  bool summary = false;
};

void add_inspection_flags(Flags& flags, InspectionOptions& options);

// Prints the layers of both networks for a batch.
void print_summaries(models::Gan& gan, std::int64_t batch);
void print_summaries(models::ConditionalGan& gan, std::int64_t batch);

// While one lives, the operations of this thread are watched as the options say.
class Inspection {
 public:
  // With a profile, first measures what the processor can do, for a moment.
  explicit Inspection(const InspectionOptions& options);

  // Writes profile.txt and trace.json into the folder and prints the tables; nothing without
  // --profile.
  void write(const RunFolder& folder);

 private:
  std::unique_ptr<ProfilerScope> profiler_;
  std::optional<AnomalyScope> anomaly_;
};

}  // namespace imago::apps
