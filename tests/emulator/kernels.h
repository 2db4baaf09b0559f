// Runs kernels under the emulator for tests: each in forward, reverse and shuffled order.
#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "kernels/launch.h"
#include "tensor/emulated/order.h"
#include "tests/support/errors.h"

namespace imago::test {

inline const std::pair<emulator::Order, std::uint64_t> orders[] = {
    {emulator::Order::forward, 0},
    {emulator::Order::reverse, 0},
    {emulator::Order::shuffled, 1},
    {emulator::Order::shuffled, 2},
};

// NaN in every floating type.
template <class T>
void fill_with_nan(std::vector<T>& values) {
  if (!values.empty()) {
    std::memset(static_cast<void*>(values.data()), 0xff, values.size() * sizeof(T));
  }
}

// What `run(stream, out)` writes to the `count` elements of out, a vector for each order. run
// launches; the wait is here.
template <class T, class F>
std::vector<std::vector<T>> in_every_order(std::size_t count, F&& run) {
  std::vector<std::vector<T>> results;
  for (const auto& [order, seed] : orders) {
    const emulator::ScheduleScope scope(order, seed);
    std::vector<T> out(count);
    fill_with_nan(out);
    Stream stream;
    run(stream, out.data());
    stream.synchronize();
    results.push_back(std::move(out));
  }
  return results;
}

template <class T>
bool same_bytes(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

template <class T>
bool all_equal(const std::vector<std::vector<T>>& results) {
  for (const auto& result : results) {
    if (!same_bytes(result, results[0])) return false;
  }
  return true;
}

// The message of the Error that `run(stream)` and the wait after it throw, or "".
template <class F>
std::string message_of(F&& run) {
  Stream stream;
  return error_of([&] {
    run(stream);
    stream.synchronize();
  });
}

}  // namespace imago::test
