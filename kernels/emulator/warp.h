// Meetings of the lanes of a warp: what shuffles, votes, reductions and matrix instructions are
// made of. Each lane that the mask names comes with a value; the last one lets `combine` work on
// all the values together, and everybody goes on.
//
// Stricter than a GPU, where a wrong mask is undefined behaviour: every named lane must come to the
// same place with the same mask, must name itself, and must not have returned.
#pragma once

#include <cstdint>
#include <source_location>
#include <string>

#include "kernels/emulator/grid.h"

namespace imago::emulator {

struct Worker;

inline constexpr int warp_size = 32;
inline constexpr unsigned whole_warp = 0xffffffffu;

struct Meeting {
  const char* word;  // "__shfl_sync"
  unsigned mask;
  std::source_location place;
  void* value;                                                   // read and written by combine
  void (*combine)(const Meeting& meeting, void* const* values);  // null: there is nothing to do
  bool orders_memory = false;
};

struct Warp {
  unsigned waiting = 0;  // lanes at a meeting
  // For ThreadSanitizer, as in Barrier; by the lowest lane of the mask.
  std::uint32_t generation[warp_size] = {};
  std::uint64_t signal[warp_size][2] = {};
};

// Waits for the other lanes.
void meet(const Meeting& meeting);

// The lane of the calling thread.
int own_lane(const char* word);

// Makes threadIdx, and so the text of a fault, speak of another lane of the caller's warp.
void point_at_lane(int lane);

// "0x0000ffff"
std::string hex(unsigned mask);

// Blames the lane that does not come to the meeting where `worker` waits.
[[noreturn]] void explain_meeting(const Worker& worker);

// The values of the lanes that met, for combine.
template <class T>
class Lanes {
 public:
  Lanes(unsigned mask, void* const* values) : mask_(mask), values_(values) {}
  unsigned mask() const { return mask_; }
  bool named(int lane) const { return (mask_ >> lane & 1u) != 0; }
  T& operator[](int lane) const { return *static_cast<T*>(values_[lane]); }
  template <class F>
  void each(F&& f) const {
    for (int lane = 0; lane < warp_size; ++lane) {
      if (named(lane)) f(lane, (*this)[lane]);
    }
  }

 private:
  unsigned mask_;
  void* const* values_;
};

// meet, with `combine(meeting, lanes)`, a lambda without captures.
template <class T, class Combine>
void meet_with(const char* word, unsigned mask, const std::source_location& place, T& value,
               Combine, bool orders_memory = false) {
  meet({word, mask, place, &value,
        [](const Meeting& meeting, void* const* values) {
          Combine{}(meeting, Lanes<T>(meeting.mask, values));
        },
        orders_memory});
}

}  // namespace imago::emulator
