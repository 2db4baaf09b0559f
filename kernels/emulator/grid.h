// Runs the grid of one launch, block by block, thread by thread, and ends it at the first fault.
#pragma once

#include <cstddef>
#include <functional>
#include <source_location>
#include <string>

#include "kernels/emulator/types.h"
#include "tensor/emulated/order.h"
#include "tensor/error.h"
#include "tensor/stream.h"

namespace imago::emulator {

struct Launch {
  std::string kernel;
  dim3 grid, block;
  std::size_t shared_bytes = 0;
  std::function<void()> thread;  // the kernel with its arguments
  Schedule schedule;
  bool cooperative = false;  // all blocks live at once and may wait for each other
};

// The most blocks of a cooperative launch: fewer than any GPU runs at once.
inline constexpr unsigned cooperative_blocks = 64;

// Puts the launch into the stream. Throws Error when no GPU would take it; everything else is found
// when it runs.
void launch(Stream& stream, Launch launch);

// Runs every thread of the grid on the calling CPU thread. Throws Error at the first fault.
void run_grid(const Launch& launch);

// "kernel transpose<float>, block (0, 0, 0), thread (3, 1, 0)": what is running now, or "".
std::string where();

// Ends the launch with Error("[emulator] kernel ..., block ..., thread ...: parts...").
template <class... Parts>
[[noreturn]] void fault(const Parts&... parts) {
  fail("emulator", where(), ": ", parts...);
}

// "(3, 1, 0)"
std::string to_string(uint3 index);
// "file.cu:12"
std::string to_string(const std::source_location& place);
bool same_place(const std::source_location& a, const std::source_location& b);

}  // namespace imago::emulator
