#include "kernels/emulator/barrier.h"

#include "kernels/emulator/scheduler.h"

namespace imago::emulator {
namespace {

struct Arrival {
  const char* word;
  std::source_location place;
  std::uint32_t expected;   // threads that complete the barrier
  std::uint32_t count = 1;  // threads that arrive together
  bool predicate = false;
};

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
  for (const Worker* worker : barrier.waiting) scheduler.make_ready(*worker);
  barrier.waiting.clear();
}

bool is_named(Scheduler& scheduler, const Worker& worker, const Barrier& barrier) {
  return &barrier != &worker.block->barriers[0] && &barrier != &scheduler.grid_barrier();
}

// Counts the caller in. Barriers of a block or grid hold everybody to one place; named ones, which
// are reached from several, to one count.
void arrive(Scheduler& scheduler, Barrier& barrier, const Arrival& arrival) {
  const Worker& worker = scheduler.caller(arrival.word);
  const bool named = is_named(scheduler, worker, barrier);
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
  release(&barrier.signal[barrier.generation % 2]);
  barrier.arrived += arrival.count;
  barrier.votes += arrival.predicate ? 1 : 0;
  if (barrier.arrived >= barrier.expected) complete(scheduler, barrier);
}

// Waits until the generation in which the caller arrived is complete.
void wait(Scheduler& scheduler, Barrier& barrier, std::uint32_t generation,
          const Arrival& arrival) {
  if (barrier.generation != generation) return;
  Worker& worker = scheduler.caller(arrival.word);
  barrier.waiting.push_back(&worker);
  scheduler.suspend(worker, {arrival.word, arrival.place, &barrier});
}

int sync(Scheduler& scheduler, Barrier& barrier, const Arrival& arrival) {
  const std::uint32_t generation = barrier.generation;
  arrive(scheduler, barrier, arrival);
  wait(scheduler, barrier, generation, arrival);
  acquire(&barrier.signal[generation % 2]);
  return barrier.result;
}

// What a lane brings to a named barrier, and in which generation its warp came.
struct NamedArrival {
  Scheduler* scheduler;
  Barrier* barrier;
  std::uint32_t expected;
  std::uint32_t generation = 0;
};

// Named barriers count warps, so the lanes of a warp come together and arrive as one.
void come_to_named(const char* word, int id, int threads, bool waits,
                   const std::source_location& place) {
  const Unwatched unwatched;
  Scheduler& scheduler = Scheduler::of_this_thread();
  const Worker& worker = scheduler.caller(word);
  if (id < 1 || id >= named_barriers) {
    fault(word, " at ", to_string(place), ": there is no barrier ", id, " among 1 to ",
          named_barriers - 1);
  }
  if (threads <= 0 || threads % warp_size != 0) {
    fault(word, " at ", to_string(place), " counts ", threads,
          " threads; named barriers count whole warps");
  }
  Barrier& barrier = worker.block->barriers[id];
  const auto expected = static_cast<std::uint32_t>(threads);
  NamedArrival arrival{&scheduler, &barrier, expected};
  const std::uint32_t lanes = scheduler.threads_per_block() - worker.thread / warp_size * warp_size;
  const unsigned mask = lanes < warp_size ? (1u << lanes) - 1 : whole_warp;
  const auto arrive_as_one = [](const Meeting& meeting, Lanes<NamedArrival> warp) {
    const NamedArrival& first = warp[0];
    warp.each([&](int lane, NamedArrival& own) {
      if (own.barrier != first.barrier || own.expected != first.expected) {
        point_at_lane(lane);
        fault(meeting.word, " at ", to_string(meeting.place),
              ": the lanes of a warp came to different barriers or with different counts");
      }
      own.generation = first.barrier->generation;
    });
    arrive(*first.scheduler, *first.barrier,
           {meeting.word, meeting.place, first.expected, warp_size});
  };
  meet_with(word, mask, place, arrival, arrive_as_one, true);
  if (!waits) return;
  wait(scheduler, barrier, arrival.generation, {word, place, expected});
  acquire(&barrier.signal[arrival.generation % 2]);
}

}  // namespace

void Barrier::reset() {
  arrived = 0;
  votes = 0;
  waiting.clear();
}

int sync_block(const char* word, bool predicate, const std::source_location& place) {
  const Unwatched unwatched;
  Scheduler& scheduler = Scheduler::of_this_thread();
  Barrier& barrier = scheduler.caller(word).block->barriers[0];
  return sync(scheduler, barrier, {word, place, scheduler.threads_per_block(), 1, predicate});
}

void sync_named(int id, int threads, const std::source_location& place) {
  come_to_named("named_barrier_sync", id, threads, true, place);
}

void arrive_named(int id, int threads, const std::source_location& place) {
  come_to_named("named_barrier_arrive", id, threads, false, place);
}

void sync_grid(const std::source_location& place) {
  const Unwatched unwatched;
  Scheduler& scheduler = Scheduler::of_this_thread();
  scheduler.caller("grid_sync");
  if (!scheduler.launch()->cooperative) {
    fault("grid_sync at ", to_string(place), " needs launch_cooperative");
  }
  sync(scheduler, scheduler.grid_barrier(), {"grid_sync", place, scheduler.resident_threads()});
}

void explain_barrier(const Worker& worker) {
  Scheduler& scheduler = Scheduler::of_this_thread();
  const Barrier& barrier = *worker.wait->barrier;
  const std::string place = to_string(worker.wait->place);
  if (is_named(scheduler, worker, barrier)) {
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
