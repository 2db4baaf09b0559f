// What a figure depends on beside the options: where it was measured, and what.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tensor/device.h"

namespace imago::bench {

// Names and values for a file of results: "device" as describe() says it, "cpu", on a GPU "driver"
// (CUDA versions) and "gpu_driver" (of the system), and "commit". What cannot be found out is
// "unknown".
//
// The commit is IMAGO_COMMIT of the environment, which scripts/gpu_check.sh sets, or else that of
// the source tree the program was built in, with "-dirty" where files differ from it, as of now:
// whoever measures builds first.
std::vector<std::pair<std::string, std::string>> provenance(Device device);

}  // namespace imago::bench
