#include "kernels/emulator/launch_count.h"

#include <atomic>
#include <mutex>

namespace imago::emulator {
namespace {

std::atomic<std::uint64_t> launches, blocks;

struct Names {
  std::mutex mutex;
  std::set<std::string> launched;
};

// Never destroyed: objects that live as long as the program may launch kernels when they go.
Names& names() {
  static auto* const instance = new Names;
  return *instance;
}

}  // namespace

LaunchCount launch_count() {
  return {launches, blocks};
}

std::set<std::string> launched_kernels() {
  const std::lock_guard lock(names().mutex);
  return names().launched;
}

void count_launch(const std::string& kernel, dim3 grid) {
  {
    const std::lock_guard lock(names().mutex);
    names().launched.insert(kernel.substr(0, kernel.find('<')));
  }
  ++launches;
  blocks += std::uint64_t{grid.x} * grid.y * grid.z;
}

}  // namespace imago::emulator
