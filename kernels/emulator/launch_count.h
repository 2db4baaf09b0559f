// How much a program has asked of the emulated device, for benches: time there means nothing, but
// launches and blocks are what they are on a GPU. And what it has asked for, so that a test can say
// that it has forgotten no kernel.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "kernels/emulator/types.h"

namespace imago::emulator {

struct LaunchCount {
  std::uint64_t launches = 0, blocks = 0;
};

// Of this process so far. A launch counts when the host makes it; replays of a graph do not.
LaunchCount launch_count();

// The kernels launched by this process so far: "conv2d_kernel", without template arguments.
std::set<std::string> launched_kernels();

// `kernel` is a name as kernel_name of kernels/launch.h makes it.
void count_launch(const std::string& kernel, dim3 grid);

}  // namespace imago::emulator
