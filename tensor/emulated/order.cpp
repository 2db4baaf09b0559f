#include "tensor/emulated/order.h"

#include <algorithm>
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

void arrange(std::vector<std::uint32_t>& numbers, const Schedule& schedule, std::uint64_t turn) {
  if (schedule.order == Order::reverse) std::reverse(numbers.begin(), numbers.end());
  if (schedule.order == Order::shuffled) {
    const std::uint64_t key = mix(schedule.seed + 1) ^ mix(~turn);
    for (std::size_t i = numbers.size(); i > 1; --i) {
      std::swap(numbers[i - 1], numbers[mix(key + i) % i]);
    }
  }
}

}  // namespace imago::emulator
