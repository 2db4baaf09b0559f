// What a Stream is under emulation: a list of launches that run when somebody waits.
#pragma once

#include "kernels/emulator/grid.h"
#include "kernels/stream.h"

namespace imago::emulator {

// Throws Error when no GPU would take the launch; everything else is found when it runs.
void enqueue(Stream& stream, Launch launch);

}  // namespace imago::emulator
