#include "kernels/emulator/scheduler.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace imago::emulator {
namespace {

// ThreadSanitizer can name the threads of a race and say where they were as long as their fibres
// exist, at more than a megabyte each.
constexpr std::size_t remembered_threads = 256;

// In the shuffled order a warp has so many rounds before another gets one: a warp that waits for
// something another one writes would keep the device to itself.
constexpr int most_rounds_ahead = 64;

// Thrown in a waiting thread whose launch has failed elsewhere, to unwind its stack.
struct Abandoned {};

uint3 unflatten(std::uint32_t flat, dim3 extents) {
  if (extents.y == 1 && extents.z == 1) return {flat, 0, 0};
  return {flat % extents.x, flat / extents.x % extents.y, flat / extents.x / extents.y};
}

std::vector<std::uint32_t> counted(std::uint32_t count) {
  std::vector<std::uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0u);
  return numbers;
}

}  // namespace

Scheduler& Scheduler::of_this_thread() {
  static thread_local Scheduler scheduler;
  return scheduler;
}

void Scheduler::run(const Launch& launch) {
  if (launch_) fail("emulator", "kernel ", launch.kernel, " was run from inside a kernel");
  const Unwatched unwatched;
  launch_ = &launch;
  turn_ = 0;
  gridDim = launch.grid;
  blockDim = launch.block;
  threads_ = launch.block.x * launch.block.y * launch.block.z;
  try {
    run_blocks();
  } catch (...) {
    error_ = std::current_exception();
  }
  if (error_) abandon();
  for (Block& block : blocks_) block.shared.reset();
  launch_ = nullptr;
  acquire(&end_signal_);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

// The blocks of an ordinary launch live one after the other.
void Scheduler::run_blocks() {
  const std::uint32_t count = launch_->grid.x * launch_->grid.y * launch_->grid.z;
  auto indices = counted(count);
  arrange(indices, launch_->schedule, turn_++);
  const std::uint32_t at_once = launch_->cooperative ? count : 1;
  blocks_.resize(at_once);
  if (launch_->cooperative) std::sort(indices.begin(), indices.end());
  for (std::uint32_t begin = 0; begin < count && !error_; begin += at_once) {
    for (std::uint32_t i = 0; i < at_once; ++i) {
      Block& block = blocks_[i];
      block.index = unflatten(indices[begin + i], launch_->grid);
      block.first = i * threads_;
      block.shared.reset();
      for (Barrier& barrier : block.barriers) barrier.reset();
      block.warps.resize((threads_ + warp_size - 1) / warp_size);
      for (Warp& warp : block.warps) warp.waiting = 0;
    }
    grid_barrier_.reset();
    run_resident();
  }
}

void Scheduler::run_resident() {
  const auto total = static_cast<std::uint32_t>(blocks_.size()) * threads_;
  worker_of_.assign(total, nullptr);
  ready_.assign((total + 63) / 64, 0);
  order_.resize(total);
  std::iota(order_.begin(), order_.end(), 0u);
  arrange(order_, launch_->schedule, turn_++);
  started_ = 0;
  ahead_ = total;  // no warp
  while (started_ < total && !error_) resume(idle_worker());

  std::vector<std::uint32_t> round;
  while (!error_ && take_ready(round)) {
    arrange(round, launch_->schedule, turn_++);
    if (launch_->schedule.order == Order::shuffled) keep_one_warp(round);
    for (const std::uint32_t number : round) {
      if (!error_) resume(*worker_of_[number]);
    }
  }
  if (!error_ && idle_.size() != workers_.size()) explain_standstill();
}

Worker& Scheduler::idle_worker() {
  const bool keep_for_reports = thread_sanitizer && workers_.size() < remembered_threads;
  if (idle_.empty() || keep_for_reports) {
    workers_.push_back(std::make_unique<Worker>());
    idle_.push_back(workers_.back().get());
  }
  Worker& worker = *idle_.back();
  if (!worker.fibre || thread_sanitizer) {
    worker.fibre = std::make_unique<Fibre>([this, &worker] { take_threads(worker); });
  }
  idle_.pop_back();
  return worker;
}

// The body of a fibre. A thread that waits suspends it from inside the kernel.
void Scheduler::take_threads(Worker& worker) {
  const Unwatched unwatched;
  try {
    do {
      begin(worker, order_[started_++]);
      {
        const Watched watched;
        launch_->thread();
      }
      worker_of_[worker.number] = nullptr;
    } while (started_ < order_.size() && !error_ && !thread_sanitizer);
  } catch (const Abandoned&) {
  } catch (...) {
    error_ = std::current_exception();
  }
  release(&end_signal_);
}

void Scheduler::begin(Worker& worker, std::uint32_t number) {
  point_at(number);
  const std::uint32_t block = number / threads_;
  worker.block = &blocks_[block];
  worker.thread = number - block * threads_;
  worker.number = number;
  worker.copies.pending.clear();
  worker.copies.group = 0;
  if (thread_sanitizer) {
    worker.fibre->set_name("block " + to_string(blockIdx) + " thread " + to_string(threadIdx));
  }
}

void Scheduler::point_at(std::uint32_t number) {
  const std::uint32_t block = number / threads_;
  blockIdx = blocks_[block].index;
  threadIdx = unflatten(number - block * threads_, launch_->block);
}

void Scheduler::resume(Worker& worker) {
  if (worker.wait) point_at(worker.number);
  worker.wait = nullptr;
  running_ = &worker;
  worker.fibre->resume();
  running_ = nullptr;
  if (!worker.wait) idle_.push_back(&worker);
}

Worker& Scheduler::caller(const char* word) {
  if (!running_) fail("emulator", word, " was called outside a kernel");
  return *running_;
}

void Scheduler::suspend(Worker& worker, const Wait& wait) {
  worker_of_[worker.number] = &worker;
  worker.wait = &wait;
  worker.fibre->suspend();
  if (abandoned_) throw Abandoned{};
}

void Scheduler::make_ready(const Worker& worker) {
  ready_[worker.number / 64] |= std::uint64_t{1} << worker.number % 64;
}

// Moves the numbers of the threads that can go on to the list; false when there are none.
bool Scheduler::take_ready(std::vector<std::uint32_t>& numbers) {
  numbers.clear();
  for (std::uint32_t i = 0; i < ready_.size(); ++i) {
    for (; ready_[i] != 0; ready_[i] &= ready_[i] - 1) {
      numbers.push_back(64 * i + static_cast<std::uint32_t>(std::countr_zero(ready_[i])));
    }
  }
  return !numbers.empty();
}

// Leaves the threads of one warp: of the one of the round before, or else of the first; the others
// stay ready.
void Scheduler::keep_one_warp(std::vector<std::uint32_t>& numbers) {
  const std::uint32_t per_block = (threads_ + warp_size - 1) / warp_size;
  const auto warp_of = [&](std::uint32_t number) {
    return number / threads_ * per_block + number % threads_ / warp_size;
  };
  const auto again = std::find_if(numbers.begin(), numbers.end(),
                                  [&](std::uint32_t n) { return warp_of(n) == ahead_; });
  if (again == numbers.end() || ++rounds_ahead_ > most_rounds_ahead) {
    ahead_ = warp_of(numbers.front());
    rounds_ahead_ = 0;
  }
  std::erase_if(numbers, [&](std::uint32_t number) {
    if (warp_of(number) == ahead_) return false;
    ready_[number / 64] |= std::uint64_t{1} << number % 64;
    return true;
  });
}

// Blames a wait: one for other lanes if there is any, as barriers are missed because of it.
void Scheduler::explain_standstill() {
  const Worker* blamed = nullptr;
  for (const Worker* worker : worker_of_) {
    if (!worker || !worker->wait) continue;
    if (!blamed || (blamed->wait->barrier && worker->wait->meeting)) blamed = worker;
  }
  point_at(blamed->number);
  if (blamed->wait->barrier) explain_barrier(*blamed);
  explain_meeting(*blamed);
}

// Unwinds the threads that wait, so that their fibres can be used again.
void Scheduler::abandon() {
  abandoned_ = true;
  for (const auto& worker : workers_) {
    if (worker->wait) resume(*worker);
  }
  abandoned_ = false;
}

}  // namespace imago::emulator
