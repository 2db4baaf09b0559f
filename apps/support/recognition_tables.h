// Figures of recognition with their intervals, as tables for people and as JSON.
#pragma once

#include <string>
#include <vector>

#include "apps/support/recognition_tasks.h"
#include "apps/support/run_folder.h"

namespace imago::apps {

struct VerificationRow {
  std::string name;
  models::Verification result;
};
struct IdentificationRow {
  std::string name;
  Identified result;
};

// "0.934 [0.921, 0.945]", the 95% interval; without it where nothing was resampled.
std::string figure(const models::Interval& interval, bool resampled);

void print_table(const std::vector<VerificationRow>& rows, bool resampled);
void print_table(const std::vector<IdentificationRow>& rows, bool resampled);
void print_table(const std::string& name, const Classified& classified, bool resampled);

// A figure is {"value", "low", "high"}, or null where there is too little to tell it by.
Json to_json(const models::Interval& interval);
Json to_json(const models::Verification& result);
Json to_json(const Identified& result);
Json to_json(const Classified& classified);

}  // namespace imago::apps
