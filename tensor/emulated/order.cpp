#include "tensor/emulated/order.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace imago::emulator {
namespace {

thread_local Schedule schedule_of_thread;

// A bijective hash of 64 bits (multiply, xor-shift, multiply, xor-shift).
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 29)) * 0xd6e8feb86659fd93u;
  return x ^ (x >> 32);
}

}  // namespace

ScheduleScope::ScheduleScope(Order order, std::uint64_t seed) : saved_(schedule_of_thread) {
  schedule_of_thread = {order, seed};
}

ScheduleScope::~ScheduleScope() {
  schedule_of_thread = saved_;
}

Schedule ScheduleScope::current() {
  return schedule_of_thread;
}

void arrange(std::vector<std::uint32_t>& out, std::uint32_t count, const Schedule& schedule,
             std::uint64_t turn) {
  out.resize(count);
  std::iota(out.begin(), out.end(), 0u);
  if (schedule.order == Order::reverse) std::reverse(out.begin(), out.end());
  if (schedule.order == Order::shuffled) {
    const std::uint64_t key = mix(schedule.seed + 1) ^ mix(~turn);
    for (std::uint32_t i = count; i > 1; --i) {
      std::swap(out[i - 1], out[mix(key + i) % i]);
    }
  }
}

}  // namespace imago::emulator
