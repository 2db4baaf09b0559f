#include "kernels/emulator/warp.h"

#include <bit>
#include <cstdio>
#include <cstring>

#include "kernels/emulator/scheduler.h"

namespace imago::emulator {
namespace {

bool same(const Meeting& a, const Meeting& b) {
  return a.mask == b.mask && std::strcmp(a.word, b.word) == 0 && same_place(a.place, b.place);
}

std::uint32_t first_lane(const Worker& worker) {
  return worker.number - worker.thread % warp_size;
}

// What a lane waits for; null when it is at no meeting.
const Meeting* meeting_of(const Scheduler& scheduler, std::uint32_t number) {
  const Worker* worker = scheduler.worker_of(number);
  return worker && worker->wait ? worker->wait->meeting : nullptr;
}

template <class F>
void for_each_lane(unsigned mask, F&& f) {
  for (; mask != 0; mask &= mask - 1) f(static_cast<std::uint32_t>(std::countr_zero(mask)));
}

// Whether all the other lanes wait for this very meeting.
bool everybody_waits(const Scheduler& scheduler, const Worker& worker, const Warp& warp,
                     const Meeting& meeting) {
  const unsigned others = meeting.mask & ~(1u << worker.thread % warp_size);
  if ((warp.waiting & others) != others) return false;
  bool all = true;
  for_each_lane(others, [&](std::uint32_t lane) {
    all = all && same(*meeting_of(scheduler, first_lane(worker) + lane), meeting);
  });
  return all;
}

}  // namespace

std::string hex(unsigned mask) {
  char text[11];
  std::snprintf(text, sizeof text, "0x%08x", mask);
  return text;
}

void meet(const Meeting& meeting) {
  const Unwatched unwatched;
  Scheduler& scheduler = Scheduler::of_this_thread();
  Worker& worker = scheduler.caller(meeting.word);
  Warp& warp = worker.block->warps[worker.thread / warp_size];
  const unsigned own = 1u << worker.thread % warp_size;
  if ((meeting.mask & own) == 0) {
    fault(meeting.word, " at ", to_string(meeting.place), ": the mask ", hex(meeting.mask),
          " does not name its own lane ", worker.thread % warp_size);
  }
  const int leader = std::countr_zero(meeting.mask);
  std::uint64_t* signal = &warp.signal[leader][warp.generation[leader] % 2];
  if (meeting.orders_memory) release(signal);
  if (everybody_waits(scheduler, worker, warp, meeting)) {
    if (meeting.orders_memory) acquire(signal);  // combine may announce what all of them did
    void* values[warp_size] = {};
    for_each_lane(meeting.mask, [&](std::uint32_t lane) {
      const Meeting* other = meeting_of(scheduler, first_lane(worker) + lane);
      values[lane] = other ? other->value : meeting.value;
    });
    if (meeting.combine) meeting.combine(meeting, values);
    warp.generation[leader] += 1;
    warp.waiting &= ~meeting.mask;
    for_each_lane(meeting.mask & ~own, [&](std::uint32_t lane) {
      scheduler.make_ready(*scheduler.worker_of(first_lane(worker) + lane));
    });
  } else {
    warp.waiting |= own;
    scheduler.suspend(worker, {meeting.word, meeting.place, nullptr, &meeting});
  }
  if (meeting.orders_memory) acquire(signal);
}

int own_lane(const char* word) {
  const Unwatched unwatched;
  return static_cast<int>(Scheduler::of_this_thread().caller(word).thread % warp_size);
}

void point_at_lane(int lane) {
  Scheduler& scheduler = Scheduler::of_this_thread();
  scheduler.point_at(first_lane(scheduler.caller("a warp function")) +
                     static_cast<std::uint32_t>(lane));
}

void explain_meeting(const Worker& worker) {
  const Scheduler& scheduler = Scheduler::of_this_thread();
  const Meeting& meeting = *worker.wait->meeting;
  const std::string what = std::string(meeting.word) + " at " + to_string(meeting.place) +
                           " with mask " + hex(meeting.mask) + " waits for lane ";
  const std::uint32_t lanes_left =
      scheduler.threads_per_block() - (worker.thread - worker.thread % warp_size);
  for_each_lane(meeting.mask, [&](std::uint32_t lane) {
    if (lane >= lanes_left) fault(what, lane, ", which the block does not have");
    const Worker* other = scheduler.worker_of(first_lane(worker) + lane);
    if (!other) fault(what, lane, ", which has returned");
    const Wait& wait = *other->wait;
    if (!wait.meeting) {
      fault(what, lane, ", which waits at ", to_string(wait.place), " (", wait.word, ")");
    }
    if (!same(*wait.meeting, meeting)) {
      fault(what, lane, ", which waits at ", to_string(wait.place), " (", wait.word, " with mask ",
            hex(wait.meeting->mask), ")");
    }
  });
  fault(what, "nobody");  // a meeting where all are present is over
}

}  // namespace imago::emulator
