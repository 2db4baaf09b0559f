// The scheduler of CUDA threads, for the files of the emulator alone.
//
// The threads of the resident blocks (one block, or the whole grid of a cooperative launch) run in
// rounds. In the first round every thread begins: a fibre takes one thread after another as long
// as none has to wait, so a kernel that never waits is a plain loop; a thread that waits keeps its
// fibre, and the threads after it get another. In each later round every thread runs whose wait
// ended since. Each round follows the order of the launch's Schedule. In the shuffled order a later
// round is that of one warp: one drawn at random runs as far as barriers let it while the others
// stay behind. When nobody can run but some wait, a thread has gone where the others did not, which
// is a fault.
//
// Under ThreadSanitizer each thread has a fibre of its own, also when it never waits.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <vector>

#include "kernels/emulator/async_copy.h"
#include "kernels/emulator/barrier.h"
#include "kernels/emulator/fibre.h"
#include "kernels/emulator/grid.h"
#include "kernels/emulator/sanitizers.h"
#include "kernels/emulator/shared_memory.h"
#include "kernels/emulator/warp.h"

namespace imago::emulator {

// A resident block.
struct Block {
  uint3 index;
  std::uint32_t first = 0;  // number of its first thread
  std::unique_ptr<SharedMemory> shared;
  Barrier barriers[named_barriers];  // the first is that of __syncthreads
  std::vector<Warp> warps;
};

// What a thread waits for: a barrier or the other lanes of a meeting.
struct Wait {
  const char* word;  // "__syncthreads"
  std::source_location place;
  const Barrier* barrier = nullptr;
  const Meeting* meeting = nullptr;
};

// A fibre and the thread it runs.
struct Worker {
  Block* block = nullptr;
  std::uint32_t thread = 0;  // flat index in the block
  std::uint32_t number = 0;  // among the threads of all resident blocks
  const Wait* wait = nullptr;
  AsyncCopies copies;
  std::unique_ptr<Fibre> fibre;
};

class Scheduler {
 public:
  static Scheduler& of_this_thread();

  void run(const Launch& launch);
  const Launch* launch() const { return launch_; }
  std::uint32_t threads_per_block() const { return threads_; }
  std::uint32_t resident_threads() const { return static_cast<std::uint32_t>(worker_of_.size()); }
  Barrier& grid_barrier() { return grid_barrier_; }

  // The thread that calls a word of CUDA; throws Error outside a kernel.
  Worker& caller(const char* word);
  // The thread of this number if it waits or has waited; null before and when it has returned.
  Worker* worker_of(std::uint32_t number) const { return worker_of_[number]; }
  // Stops the calling thread until make_ready. Wait lives on its stack.
  void suspend(Worker& worker, const Wait& wait);
  void make_ready(const Worker& worker);
  // Makes threadIdx and blockIdx, and so the text of a fault, speak of this thread.
  void point_at(std::uint32_t number);

 private:
  void run_blocks();
  void run_resident();
  Worker& idle_worker();
  void take_threads(Worker& worker);
  void begin(Worker& worker, std::uint32_t number);
  void resume(Worker& worker);
  bool take_ready(std::vector<std::uint32_t>& numbers);
  void keep_one_warp(std::vector<std::uint32_t>& numbers);
  [[noreturn]] void explain_standstill();
  void abandon();

  const Launch* launch_ = nullptr;
  std::uint32_t threads_ = 0;  // of a block
  std::uint64_t turn_ = 0;     // counts shuffles within a launch
  std::vector<Block> blocks_;  // resident ones
  Barrier grid_barrier_;
  std::vector<std::uint32_t> order_;  // of the first round
  std::size_t started_ = 0;           // threads taken from order_
  std::vector<Worker*> worker_of_;    // by number
  std::vector<std::uint64_t> ready_;  // a bit for each number
  std::uint32_t ahead_ = 0;           // the warp whose rounds these are, when shuffled
  int rounds_ahead_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;  // grows to the threads that ever waited at once
  std::vector<Worker*> idle_;
  Worker* running_ = nullptr;
  std::exception_ptr error_;
  bool abandoned_ = false;
  std::uint64_t end_signal_ = 0;  // the threads' ends come before the launch's
};

}  // namespace imago::emulator
