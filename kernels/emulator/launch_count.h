// How much a program has asked of the emulated device, for benches: time there means nothing, but
// launches and blocks are what they are on a GPU.
#pragma once

#include <cstdint>

#include "kernels/emulator/types.h"

namespace imago::emulator {

struct LaunchCount {
  std::uint64_t launches = 0, blocks = 0;
};

// Of this process so far. A launch counts when the host makes it; replays of a graph do not.
LaunchCount launch_count();

void count_launch(dim3 grid);

}  // namespace imago::emulator
