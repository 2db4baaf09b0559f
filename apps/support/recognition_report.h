// What evaluate tells of recognition: a table with a row for each recogniser and method, plots, and
// JSON ("imago-recognition-1").
#pragma once

#include "apps/support/flags.h"
#include "apps/support/recognition_flags.h"

namespace imago::apps {

// Measures, prints, and writes what the flags ask for. Equal runs write equal files: how long
// things took is only printed. The flags have passed check_recognition_flags.
void report_recognition(const Flags& flags, const RecognitionFlags& f);

}  // namespace imago::apps
