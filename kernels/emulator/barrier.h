// Barriers: of a block (__syncthreads and its voting forms), named ones for a part of a block, and
// of the grid of a cooperative launch.
#pragma once

#include <cstdint>
#include <source_location>
#include <vector>

namespace imago::emulator {

struct Worker;

inline constexpr int named_barriers = 16;  // of a block, as on a GPU

struct Barrier {
  std::uint32_t expected = 0, arrived = 0;
  std::uint32_t generation = 0;  // how often it was complete
  int votes = 0;                 // threads that arrived with a true predicate
  int result = 0;                // the votes of the last generation
  std::source_location place;    // of the first that arrived
  std::uint32_t first = 0;       // its number
  std::vector<Worker*> waiting;
  // For ThreadSanitizer, by generation: a fast thread may arrive for the next one before a slow one
  // has left the last.
  std::uint64_t signal[2] = {};

  void reset();
};

// Waits for every thread of the block at the same place in the source; a thread that has returned
// can no longer come. Returns the number of threads with a true predicate.
int sync_block(const char* word, bool predicate, const std::source_location& place);

// bar.sync and bar.arrive: barrier `id` (1 to 15) is complete when warps of `threads` threads have
// come to either. Only those at bar.sync wait. All lanes of a warp come together.
void sync_named(int id, int threads, const std::source_location& place);
void arrive_named(int id, int threads, const std::source_location& place);

// Waits for every thread of a cooperative launch at the same place.
void sync_grid(const std::source_location& place);

// Blames the thread that does not come to the barrier where `worker` waits.
[[noreturn]] void explain_barrier(const Worker& worker);

}  // namespace imago::emulator
