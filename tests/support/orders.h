// The orders in which the emulator runs threads and streams. Bits must not depend on them.
#pragma once

#include <cstdint>

#include "tensor/device.h"
#if IMAGO_EMULATED
#include "tensor/emulated/order.h"
#endif

namespace imago::test {

// Runs f() once for each order of execution on an emulated device, once elsewhere.
template <class F>
void for_each_order([[maybe_unused]] Device device, F&& f) {
#if IMAGO_EMULATED
  using emulator::Order;
  if (device.is_cuda()) {
    for (const auto order : {Order::reverse, Order::shuffled}) {
      for (const std::uint64_t seed : {1, 2}) {
        if (order == Order::reverse && seed > 1) continue;
        const emulator::ScheduleScope scope(order, seed);
        f();
      }
    }
  }
#endif
  f();
}

}  // namespace imago::test
