// In which order the emulator runs the blocks of a grid and, between barriers, the threads of a
// block. A correct kernel gives the same bits in every order; one that lacks a barrier does not.
#pragma once

#include <cstdint>
#include <vector>

namespace imago::emulator {

enum class Order { forward, reverse, shuffled };

struct Schedule {
  Order order = Order::forward;
  std::uint64_t seed = 1;  // of the shuffles
};

// Kernels launched by this CPU thread while the scope lives run by this schedule.
class ScheduleScope {
 public:
  explicit ScheduleScope(Order order, std::uint64_t seed = 1);
  ~ScheduleScope();
  ScheduleScope(const ScheduleScope&) = delete;
  ScheduleScope& operator=(const ScheduleScope&) = delete;

  static Schedule current();

 private:
  Schedule saved_;
};

// Puts ascending numbers into the order of a schedule. `turn` tells shuffles apart.
void arrange(std::vector<std::uint32_t>& numbers, const Schedule& schedule, std::uint64_t turn);

}  // namespace imago::emulator
