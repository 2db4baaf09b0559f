// Asynchronous copies from global to shared memory (cp.async) of one CUDA thread.
//
// A GPU may carry them out at any time up to the wait. The emulator takes the worst of it: from the
// copy on the destination holds garbage (NaN), and the bytes come at the wait, read only then. So a
// missing wait fails, and so does a buffer that is filled while others still read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace imago::emulator {

struct AsyncCopies {
  struct Copy {
    void* to;
    const void* from;
    int bytes, source_bytes;
    std::int64_t group;
  };
  std::vector<Copy> pending;
  std::int64_t group = 0;  // the one that copies join now
};

// The words of kernels/ptx.cuh, for the running thread. `bytes` are written, the first
// `source_bytes` of them read and the rest zero.
void async_copy(void* to, const void* from, int bytes, int source_bytes);
void async_commit();
// Completes all groups but the `newest` last committed ones.
void async_wait(int newest);
void async_wait_all();

}  // namespace imago::emulator
