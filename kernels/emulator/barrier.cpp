#include "kernels/emulator/barrier.h"

#include <algorithm>
#include <cstring>

#include "kernels/emulator/scheduler.h"

namespace imago::emulator {
namespace {

struct Arrival {
  const char* word;
  std::uint32_t expected;
  bool predicate;
  std::source_location place;
};

bool same_place(const std::source_location& a, const std::source_location& b) {
  return a.line() == b.line() && a.column() == b.column() &&
         std::strcmp(a.file_name(), b.file_name()) == 0;
}

// "thread (3, 1, 0)", with its block where that is not the one a fault names anyway.
std::string name_of(Scheduler& scheduler, std::uint32_t number) {
  const uint3 block = blockIdx, thread = threadIdx;
  scheduler.point_at(number);
  const bool same = block.x == blockIdx.x && block.y == blockIdx.y && block.z == blockIdx.z;
  const std::string name = "thread " + to_string(threadIdx) +
                           (same ? std::string() : " of block " + to_string(blockIdx));
  blockIdx = block;
  threadIdx = thread;
  return name;
}

void complete(Scheduler& scheduler, Barrier& barrier) {
  barrier.result = barrier.votes;
  barrier.votes = 0;
  barrier.arrived = 0;
  ++barrier.generation;
  std::fill(barrier.of_warp.begin(), barrier.of_warp.end(), 0u);
  for (const Worker* worker : barrier.waiting) scheduler.make_ready(*worker);
  barrier.waiting.clear();
}

// Counts the caller in. Barriers of a block or grid hold everybody to one place; named ones, which
// are reached from several, to whole warps and one count.
void arrive(Scheduler& scheduler, Barrier& barrier, const Arrival& arrival, bool named) {
  const Worker& worker = scheduler.caller(arrival.word);
  release(&barrier.signal[barrier.generation % 2]);
  if (barrier.arrived == 0) {
    barrier.expected = arrival.expected;
    barrier.place = arrival.place;
    barrier.first = worker.number;
  } else if (!named && !same_place(barrier.place, arrival.place)) {
    fault("divergent barrier: comes to ", to_string(arrival.place), " but ",
          name_of(scheduler, barrier.first), " waits at ", to_string(barrier.place));
  } else if (barrier.expected != arrival.expected) {
    fault(arrival.word, " at ", to_string(arrival.place), " counts ", arrival.expected,
          " threads but ", name_of(scheduler, barrier.first), " came to the same barrier with ",
          barrier.expected);
  }
  barrier.arrived += 1;
  barrier.votes += arrival.predicate ? 1 : 0;
  if (named) {
    barrier.of_warp.resize(worker.block->warps.size());
    barrier.of_warp[worker.thread / warp_size] += 1;
  }
  if (barrier.arrived < barrier.expected) return;
  for (std::uint32_t warp = 0; warp < barrier.of_warp.size(); ++warp) {
    const std::uint32_t lanes =
        std::min<std::uint32_t>(warp_size, scheduler.threads_per_block() - warp * warp_size);
    if (barrier.of_warp[warp] % lanes != 0) {
      fault(arrival.word, " at ", to_string(arrival.place), ": only ", barrier.of_warp[warp],
            " threads of warp ", warp, " came; barriers count whole warps");
    }
  }
  complete(scheduler, barrier);
}

// Arrives and waits.
int sync(Scheduler& scheduler, Barrier& barrier, const Arrival& arrival, bool named = false) {
  Worker& worker = scheduler.caller(arrival.word);
  const std::uint32_t generation = barrier.generation;
  arrive(scheduler, barrier, arrival, named);
  if (barrier.generation == generation) {
    barrier.waiting.push_back(&worker);
    scheduler.suspend(worker, {arrival.word, arrival.place, &barrier});
  }
  acquire(&barrier.signal[generation % 2]);
  return barrier.result;
}

Barrier& named_barrier(Scheduler& scheduler, const Arrival& arrival, int id) {
  if (id < 0 || id >= named_barriers) {
    fault(arrival.word, " at ", to_string(arrival.place), ": there is no barrier ", id, " among ",
          named_barriers);
  }
  const std::uint32_t whole = scheduler.threads_per_block();
  if (arrival.expected == 0 || (arrival.expected % warp_size != 0 && arrival.expected != whole)) {
    fault(arrival.word, " at ", to_string(arrival.place), " counts ", arrival.expected,
          " threads; barriers count whole warps");
  }
  return scheduler.caller(arrival.word).block->barriers[id];
}

}  // namespace

void Barrier::reset() {
  arrived = 0;
  votes = 0;
  waiting.clear();
  of_warp.clear();
}

int sync_block(const char* word, bool predicate, const std::source_location& place) {
  const Unwatched unwatched;
  Scheduler& scheduler = Scheduler::of_this_thread();
  Barrier& barrier = scheduler.caller(word).block->barriers[0];
  return sync(scheduler, barrier, {word, scheduler.threads_per_block(), predicate, place});
}

void sync_named(int id, int threads, const std::source_location& place) {
  const Unwatched unwatched;
  Scheduler& scheduler = Scheduler::of_this_thread();
  const Arrival arrival{"named_barrier_sync", static_cast<std::uint32_t>(threads), false, place};
  sync(scheduler, named_barrier(scheduler, arrival, id), arrival, true);
}

void arrive_named(int id, int threads, const std::source_location& place) {
  const Unwatched unwatched;
  Scheduler& scheduler = Scheduler::of_this_thread();
  const Arrival arrival{"named_barrier_arrive", static_cast<std::uint32_t>(threads), false, place};
  arrive(scheduler, named_barrier(scheduler, arrival, id), arrival, true);
}

void sync_grid(const std::source_location& place) {
  const Unwatched unwatched;
  Scheduler& scheduler = Scheduler::of_this_thread();
  scheduler.caller("grid_sync");
  if (!scheduler.launch()->cooperative) {
    fault("grid_sync at ", to_string(place), " needs launch_cooperative");
  }
  sync(scheduler, scheduler.grid_barrier(),
       {"grid_sync", scheduler.resident_threads(), false, place});
}

void explain_barrier(const Worker& worker) {
  Scheduler& scheduler = Scheduler::of_this_thread();
  const Barrier& barrier = *worker.wait->barrier;
  const std::string place = to_string(worker.wait->place);
  if (barrier.expected < scheduler.threads_per_block()) {
    fault(worker.wait->word, " at ", place, " waits for ", barrier.expected, " threads but only ",
          barrier.arrived, " came");
  }
  const bool of_grid = &barrier == &scheduler.grid_barrier();
  std::uint32_t number = of_grid ? 0 : worker.block->first;
  const auto waits_here = [&](const Worker* other) {
    return other && other->wait && other->wait->barrier == &barrier;
  };
  while (waits_here(scheduler.worker_of(number))) ++number;
  const Worker* absent = scheduler.worker_of(number);
  fault("divergent barrier: waits at ", place, " for ", name_of(scheduler, number),
        absent
            ? ", which waits at " + to_string(absent->wait->place) + " (" + absent->wait->word + ")"
            : std::string(", which has returned"));
}

}  // namespace imago::emulator
