// What the emulated device offers to the rest of the emulator (kernels/emulator).
#pragma once

#include <functional>

#include "tensor/stream.h"

namespace imago::emulator {

// Puts work into the stream, or into the graph that is being captured from it. It runs when
// somebody waits, on the CPU thread that waits; an exception in it is thrown there, and what stands
// behind it in the stream is dropped.
void enqueue(Stream& stream, std::function<void()> work);

// Whether work goes into a graph.
bool is_capturing(Stream& stream);

// Runs everything that is left in every stream.
void synchronize_device();

}  // namespace imago::emulator
