// What evaluate tells of image-to-image networks: their scores on people whom nobody trained on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace imago::apps {

struct TranslationReportOptions {
  std::vector<std::string> checkpoints;  // of train_translation, all of one task and size
  std::string features;                  // a file of weights, or "": the committed ones
  std::string json, sheet;               // files to write; "": none
  int people = 0;                        // 0: 1000
  std::uint64_t seed = 1;                // of holes, light and noise
};

// Prints a row for each checkpoint, and one for doing nothing where that is an answer. The sheet
// shows each person's input, the results in the order of the checkpoints, and the truth. Throws
// UsageError for too few people, and Error for checkpoints of different tasks or sizes.
void report_translations(const TranslationReportOptions& options);

}  // namespace imago::apps
