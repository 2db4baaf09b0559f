#include "kernels/emulator/grid.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <sstream>
#include <utility>
#include <vector>

#include "kernels/emulator/fibre.h"
#include "tensor/emulated/stream.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace imago::emulator {
namespace {

// Thrown in a waiting thread whose block has failed elsewhere, to unwind its stack.
struct Abandoned {};

std::string to_string(uint3 i) {
  std::ostringstream out;
  out << '(' << i.x << ", " << i.y << ", " << i.z << ')';
  return out.str();
}

uint3 unflatten(std::uint32_t flat, dim3 extents) {
  return {flat % extents.x, flat / extents.x % extents.y, flat / extents.x / extents.y};
}

std::string to_string(const std::source_location& place) {
  return std::string(place.file_name()) + ":" + std::to_string(place.line());
}

bool same_place(const std::source_location& a, const std::source_location& b) {
  return a.line() == b.line() && a.column() == b.column() &&
         std::strcmp(a.file_name(), b.file_name()) == 0;
}

class SharedMemory {
 public:
  explicit SharedMemory(const SharedType& made) : made_(made) {
    const std::size_t rounded = (made.bytes + made.alignment - 1) / made.alignment * made.alignment;
    memory_ = std::aligned_alloc(made.alignment, rounded);
    if (!memory_) throw std::bad_alloc();
    std::memset(memory_, 0xff, rounded);
    made_.construct(memory_);
  }
  ~SharedMemory() {
    made_.destroy(memory_);
    std::free(memory_);
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  void* get() const { return memory_; }
  bool is(const SharedType& wanted) const { return *made_.type == *wanted.type; }

 private:
  SharedType made_;
  void* memory_;
};

// The blocks of one CPU thread run here one after the other; fibres are kept between them.
class Runner {
 public:
  void run(const Launch& launch);
  void barrier(const std::source_location& place);
  void* shared_memory(const SharedType& wanted);
  const Launch* launch() const { return launch_; }

 private:
  struct Worker {
    explicit Worker(Runner& runner) : fibre([this, &runner] { runner.take_threads(*this); }) {}

    std::uint32_t thread = 0;    // flat index of the thread it runs
    bool waiting = false;        // at a barrier
    std::source_location place;  // ... this one
    Fibre fibre;
  };

  void run_block();
  void run_rounds(std::size_t waiting);
  void check_barrier(const std::vector<Worker*>& worker_of);
  void take_threads(Worker& worker);
  void resume(Worker& worker);
  void abandon();
  void set_thread(std::uint32_t flat) { threadIdx = unflatten(flat, launch_->block); }

  const Launch* launch_ = nullptr;
  std::uint64_t turn_ = 0;                        // counts shuffles within a launch
  std::vector<std::unique_ptr<Worker>> workers_;  // grows to the threads that ever waited at once
  std::vector<std::uint32_t> order_;              // of threads
  std::size_t started_ = 0;                       // threads of this block taken from order_
  Worker* running_ = nullptr;
  std::exception_ptr error_;
  bool abandoned_ = false;
  std::unique_ptr<SharedMemory> shared_;
};

thread_local Runner runner_of_thread;

void Runner::run(const Launch& launch) {
  if (launch_) fail("emulator", "kernel ", launch.kernel, " was run from inside a kernel");
  launch_ = &launch;
  turn_ = 0;
  gridDim = launch.grid;
  blockDim = launch.block;
  try {
    std::vector<std::uint32_t> blocks;
    arrange(blocks, launch.grid.x * launch.grid.y * launch.grid.z, launch.schedule, turn_++);
    for (const std::uint32_t block : blocks) {
      blockIdx = unflatten(block, launch.grid);
      run_block();
      if (error_) break;
      shared_.reset();
    }
  } catch (...) {  // the emulator itself ran out of memory
    error_ = std::current_exception();
  }
  if (error_) abandon();
  shared_.reset();
  launch_ = nullptr;
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void Runner::run_block() {
  const std::uint32_t threads = launch_->block.x * launch_->block.y * launch_->block.z;
  arrange(order_, threads, launch_->schedule, turn_++);
  started_ = 0;
  std::size_t waiting = 0;  // the first workers_ hold the threads that wait
  while (started_ < threads && !error_) {
    if (waiting == workers_.size()) workers_.push_back(std::make_unique<Worker>(*this));
    resume(*workers_[waiting]);
    if (workers_[waiting]->waiting) ++waiting;
  }
  if (waiting > 0 && !error_) run_rounds(waiting);
}

// From barrier to barrier, until every thread has returned. The first `waiting` workers_ wait.
void Runner::run_rounds(std::size_t waiting) {
  std::vector<Worker*> worker_of(order_.size());
  std::vector<std::uint32_t> order;
  while (waiting > 0) {
    std::fill(worker_of.begin(), worker_of.end(), nullptr);
    for (std::size_t i = 0; i < waiting; ++i) worker_of[workers_[i]->thread] = workers_[i].get();
    try {
      check_barrier(worker_of);
    } catch (...) {
      error_ = std::current_exception();
    }
    arrange(order, static_cast<std::uint32_t>(order_.size()), launch_->schedule, turn_++);
    for (const std::uint32_t thread : order) {
      if (error_) return;
      resume(*worker_of[thread]);
    }
    // Some threads may have returned; those that wait move to the front again.
    const auto middle = std::stable_partition(workers_.begin(), workers_.end(),
                                              [](const auto& worker) { return worker->waiting; });
    waiting = static_cast<std::size_t>(middle - workers_.begin());
  }
}

// All threads of the block must wait, and at one place.
void Runner::check_barrier(const std::vector<Worker*>& worker_of) {
  const Worker& first = *workers_[0];
  set_thread(first.thread);
  for (std::uint32_t i = 0; i < worker_of.size(); ++i) {
    const auto other = [&] { return "thread " + to_string(unflatten(i, launch_->block)); };
    if (!worker_of[i]) {
      fault("divergent barrier: waits at ", to_string(first.place), " for ", other(),
            ", which has returned");
    }
    if (!same_place(worker_of[i]->place, first.place)) {
      fault("divergent barrier: waits at ", to_string(first.place), " but ", other(), " waits at ",
            to_string(worker_of[i]->place));
    }
  }
}

// The body of a worker's fibre: threads that nobody has started yet, until none is left. A thread
// that waits suspends the fibre from inside the kernel.
void Runner::take_threads(Worker& worker) {
  try {
    while (started_ < order_.size() && !error_) {
      worker.thread = order_[started_++];
      set_thread(worker.thread);
      launch_->thread();
    }
  } catch (const Abandoned&) {
  } catch (...) {
    error_ = std::current_exception();
  }
}

void Runner::resume(Worker& worker) {
  if (worker.waiting) set_thread(worker.thread);
  worker.waiting = false;
  running_ = &worker;
  worker.fibre.resume();
  running_ = nullptr;
}

// Unwinds the threads that wait, so that their fibres can be used again.
void Runner::abandon() {
  abandoned_ = true;
  for (const auto& worker : workers_) {
    if (worker->waiting) resume(*worker);
  }
  abandoned_ = false;
}

void Runner::barrier(const std::source_location& place) {
  if (!running_) fail("emulator", "__syncthreads was called outside a kernel");
  Worker& worker = *running_;
  worker.waiting = true;
  worker.place = place;
  worker.fibre.suspend();
  if (abandoned_) throw Abandoned{};
}

void* Runner::shared_memory(const SharedType& wanted) {
  if (!running_) fail("emulator", "shared memory was asked for outside a kernel");
  if (shared_ && !shared_->is(wanted)) fault("shared memory is used as two different structs");
  if (wanted.bytes > launch_->shared_bytes) {
    fault("shared memory of ", wanted.bytes, " bytes is used but ", launch_->shared_bytes,
          " were launched with");
  }
  if (!shared_) shared_ = std::make_unique<SharedMemory>(wanted);
  return shared_->get();
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
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
}

}  // namespace

void launch(Stream& stream, Launch launch) {
  check_launch(launch);
  enqueue(stream, [launch = std::move(launch)] { run_grid(launch); });
}

void run_grid(const Launch& launch) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  __sanitizer_set_death_callback(name_thread_at_death);
#endif
  runner_of_thread.run(launch);
}

std::string where() {
  const Launch* launch = runner_of_thread.launch();
  if (!launch) return "";
  return "kernel " + launch->kernel + ", block " + to_string(blockIdx) + ", thread " +
         to_string(threadIdx);
}

void barrier(const std::source_location& place) {
  runner_of_thread.barrier(place);
}

void* shared_memory(const SharedType& wanted) {
  return runner_of_thread.shared_memory(wanted);
}

}  // namespace imago::emulator
