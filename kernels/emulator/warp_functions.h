// The functions of CUDA between the lanes of a warp: shuffles, votes, reductions, matches. What is
// undefined on a GPU is a fault here: see kernels/emulator/warp.h for masks; reading a lane that
// the mask does not name, or a width that is no power of two up to 32, is one as well. As on a GPU
// only __syncwarp orders memory accesses.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstring>
#include <source_location>

#include "kernels/emulator/atomics.h"
#include "kernels/emulator/warp.h"

namespace imago::emulator {

template <class T>
concept Shuffleable = std::same_as<T, int> || std::same_as<T, unsigned> || std::same_as<T, long> ||
    std::same_as<T, unsigned long> || std::same_as<T, long long> ||
    std::same_as<T, unsigned long long> || std::same_as<T, float> || std::same_as<T, double>;

void check_width(const char* word, int width, const std::source_location& place);
[[noreturn]] void unnamed_lane(const Meeting& meeting, int reader, int lane);

// Every lane receives the value of lane `from`.
template <class T>
T shuffle(const char* word, unsigned mask, T value, int from, const std::source_location& place) {
  struct Slot {
    T value;
    int from;
    T received;
  } slot{value, from, value};
  meet_with(word, mask, place, slot, [](const Meeting& meeting, Lanes<Slot> lanes) {
    lanes.each([&](int lane, Slot& reader) {
      if (!lanes.named(reader.from)) unnamed_lane(meeting, lane, reader.from);
      reader.received = lanes[reader.from].value;
    });
  });
  return slot.received;
}

// The lanes with a true predicate.
unsigned ballot(const char* word, unsigned mask, bool predicate, const std::source_location& place);

// Combines the values of all lanes in the order of the lanes.
template <class T, class F>
T reduce(const char* word, unsigned mask, T value, F, const std::source_location& place) {
  meet_with(word, mask, place, value, [](const Meeting&, Lanes<T> lanes) {
    bool first = true;
    T total{};
    lanes.each([&](int, T& v) {
      total = first ? v : F{}(total, v);
      first = false;
    });
    lanes.each([&](int, T& v) { v = total; });
  });
  return value;
}

template <class T>
concept Reducible = std::same_as<T, int> || std::same_as<T, unsigned>;

}  // namespace imago::emulator

template <imago::emulator::Shuffleable T>
T __shfl_sync(unsigned mask, T value, int lane, int width = warpSize,
              std::source_location place = std::source_location::current()) {
  imago::emulator::check_width("__shfl_sync", width, place);
  const int own = imago::emulator::own_lane("__shfl_sync");
  return imago::emulator::shuffle("__shfl_sync", mask, value,
                                  (own & ~(width - 1)) | (lane & (width - 1)), place);
}

template <imago::emulator::Shuffleable T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize,
                 std::source_location place = std::source_location::current()) {
  imago::emulator::check_width("__shfl_up_sync", width, place);
  const int own = imago::emulator::own_lane("__shfl_up_sync");
  const bool inside = delta <= static_cast<unsigned>(own & (width - 1));
  return imago::emulator::shuffle("__shfl_up_sync", mask, value,
                                  inside ? own - static_cast<int>(delta) : own, place);
}

template <imago::emulator::Shuffleable T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize,
                   std::source_location place = std::source_location::current()) {
  imago::emulator::check_width("__shfl_down_sync", width, place);
  const int own = imago::emulator::own_lane("__shfl_down_sync");
  const bool inside = delta < static_cast<unsigned>(width - (own & (width - 1)));
  return imago::emulator::shuffle("__shfl_down_sync", mask, value,
                                  inside ? own + static_cast<int>(delta) : own, place);
}

// Lanes of an earlier segment may be read, those of a later one not.
template <imago::emulator::Shuffleable T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = warpSize,
                  std::source_location place = std::source_location::current()) {
  imago::emulator::check_width("__shfl_xor_sync", width, place);
  const int own = imago::emulator::own_lane("__shfl_xor_sync");
  const int from = own ^ (lane_mask & (warpSize - 1));
  return imago::emulator::shuffle("__shfl_xor_sync", mask, value,
                                  from <= (own | (width - 1)) ? from : own, place);
}

inline unsigned __ballot_sync(unsigned mask, int predicate,
                              std::source_location place = std::source_location::current()) {
  return imago::emulator::ballot("__ballot_sync", mask, predicate != 0, place);
}
inline int __any_sync(unsigned mask, int predicate,
                      std::source_location place = std::source_location::current()) {
  return imago::emulator::ballot("__any_sync", mask, predicate != 0, place) != 0;
}
inline int __all_sync(unsigned mask, int predicate,
                      std::source_location place = std::source_location::current()) {
  return imago::emulator::ballot("__all_sync", mask, predicate != 0, place) == mask;
}

// The lanes that run together with the caller. A GPU may answer any set with the caller in it; the
// emulator's answer is the caller alone.
inline unsigned __activemask() {
  return 1u << imago::emulator::own_lane("__activemask");
}

inline void __syncwarp(unsigned mask = imago::emulator::whole_warp,
                       std::source_location place = std::source_location::current()) {
  imago::emulator::meet({"__syncwarp", mask, place, nullptr, nullptr, true});
}

// The lanes whose value has the same bits.
template <imago::emulator::Shuffleable T>
unsigned __match_any_sync(unsigned mask, T value,
                          std::source_location place = std::source_location::current()) {
  struct Slot {
    T value;
    unsigned equal;
  } slot{value, 0};
  imago::emulator::meet_with(
      "__match_any_sync", mask, place, slot,
      [](const imago::emulator::Meeting&, imago::emulator::Lanes<Slot> lanes) {
        lanes.each([&](int, Slot& a) {
          lanes.each([&](int lane, Slot& b) {
            if (std::memcmp(&a.value, &b.value, sizeof(T)) == 0) a.equal |= 1u << lane;
          });
        });
      });
  return slot.equal;
}

template <imago::emulator::Reducible T>
T __reduce_add_sync(unsigned mask, T value,
                    std::source_location place = std::source_location::current()) {
  return imago::emulator::reduce(
      "__reduce_add_sync", mask, value, [](T a, T b) { return imago::emulator::wrapped_sum(a, b); },
      place);
}
template <imago::emulator::Reducible T>
T __reduce_min_sync(unsigned mask, T value,
                    std::source_location place = std::source_location::current()) {
  return imago::emulator::reduce(
      "__reduce_min_sync", mask, value, [](T a, T b) { return std::min(a, b); }, place);
}
template <imago::emulator::Reducible T>
T __reduce_max_sync(unsigned mask, T value,
                    std::source_location place = std::source_location::current()) {
  return imago::emulator::reduce(
      "__reduce_max_sync", mask, value, [](T a, T b) { return std::max(a, b); }, place);
}
inline unsigned __reduce_and_sync(unsigned mask, unsigned value,
                                  std::source_location place = std::source_location::current()) {
  return imago::emulator::reduce(
      "__reduce_and_sync", mask, value, [](unsigned a, unsigned b) { return a & b; }, place);
}
inline unsigned __reduce_or_sync(unsigned mask, unsigned value,
                                 std::source_location place = std::source_location::current()) {
  return imago::emulator::reduce(
      "__reduce_or_sync", mask, value, [](unsigned a, unsigned b) { return a | b; }, place);
}
inline unsigned __reduce_xor_sync(unsigned mask, unsigned value,
                                  std::source_location place = std::source_location::current()) {
  return imago::emulator::reduce(
      "__reduce_xor_sync", mask, value, [](unsigned a, unsigned b) { return a ^ b; }, place);
}
