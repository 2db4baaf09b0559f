#include "kernels/emulator/grid.h"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <utility>

#include "kernels/emulator/launch_count.h"
#include "kernels/emulator/scheduler.h"
#include "tensor/emulated/stream.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace imago::emulator {
namespace {

#if defined(__SANITIZE_ADDRESS__)
// A sanitizer's report knows the source line but not the CUDA thread.
void name_thread_at_death() {
  const std::string text = where();
  if (!text.empty()) std::fprintf(stderr, "[emulator] %s\n", text.c_str());
}
#endif

void check_launch(const Launch& launch) {
  const dim3 g = launch.grid, b = launch.block;
  const auto blocks = std::uint64_t{g.x} * g.y * g.z;
  const auto threads = std::uint64_t{b.x} * b.y * b.z;
  check(g.x <= 0x7fffffffu && g.y <= 65535 && g.z <= 65535 && blocks > 0, "emulator", "kernel ",
        launch.kernel, ": no GPU takes a grid of ", to_string({g.x, g.y, g.z}), " blocks");
  check(b.x <= 1024 && b.y <= 1024 && b.z <= 64 && threads > 0 && threads <= 1024, "emulator",
        "kernel ", launch.kernel, ": no GPU takes a block of ", to_string({b.x, b.y, b.z}),
        " threads");
  check(blocks <= 0x7fffffffu, "emulator", "kernel ", launch.kernel, ": ", blocks,
        " blocks are more than the emulator counts");
  check(!launch.cooperative || blocks <= cooperative_blocks, "emulator", "kernel ", launch.kernel,
        ": a cooperative launch of ", blocks, " blocks; all must run at once, and no more than ",
        cooperative_blocks, " are sure to");
}

}  // namespace

void launch(Stream& stream, Launch launch) {
  check_launch(launch);
  count_launch(launch.kernel, launch.grid);
  enqueue(stream, [launch = std::move(launch)] { run_grid(launch); });
}

void run_grid(const Launch& launch) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_set_death_callback(name_thread_at_death);
#endif
  Scheduler::of_this_thread().run(launch);
}

std::string where() {
  const Launch* launch = Scheduler::of_this_thread().launch();
  if (!launch) return "";
  return "kernel " + launch->kernel + ", block " + to_string(blockIdx) + ", thread " +
         to_string(threadIdx);
}

std::string to_string(uint3 index) {
  std::ostringstream out;
  out << '(' << index.x << ", " << index.y << ", " << index.z << ')';
  return out.str();
}

std::string to_string(const std::source_location& place) {
  return std::string(place.file_name()) + ":" + std::to_string(place.line());
}

bool same_place(const std::source_location& a, const std::source_location& b) {
  return a.line() == b.line() && a.column() == b.column() &&
         (a.file_name() == b.file_name() || std::strcmp(a.file_name(), b.file_name()) == 0);
}

}  // namespace imago::emulator
