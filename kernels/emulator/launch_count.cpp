#include "kernels/emulator/launch_count.h"

#include <atomic>

namespace imago::emulator {
namespace {

std::atomic<std::uint64_t> launches, blocks;

}  // namespace

LaunchCount launch_count() {
  return {launches, blocks};
}

void count_launch(dim3 grid) {
  ++launches;
  blocks += std::uint64_t{grid.x} * grid.y * grid.z;
}

}  // namespace imago::emulator
