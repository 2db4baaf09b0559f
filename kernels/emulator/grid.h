// Runs the grid of one launch, block by block, thread by thread.
//
// A fibre takes one thread after another as long as none has to wait, so a kernel without barriers
// is a plain loop; a thread that waits keeps its fibre, and the threads after it get another.
#pragma once

#include <cstddef>
#include <functional>
#include <source_location>
#include <string>
#include <typeinfo>

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
};

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

// __syncthreads of the running thread. All threads of the block must come to the same place in
// the source; a thread that has returned can no longer come.
void barrier(const std::source_location& place);

// How the shared memory of a block is made: a struct as kernels/emulator/tile.h needs it.
struct SharedType {
  std::size_t bytes, alignment;
  const std::type_info* type;
  void (*construct)(void*);
  void (*destroy)(void*);
};

// The shared memory of the running block. It is made at the first call, on the heap and filled
// with 0xff, which is NaN in every floating type, and lives until the block ends.
void* shared_memory(const SharedType& wanted);

}  // namespace imago::emulator
