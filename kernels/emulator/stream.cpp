#include "kernels/emulator/stream.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace imago {

struct Stream::Impl {
  std::deque<std::function<void()>> work;
};

namespace {

// There is one emulated device: its streams, and the right to run on it. Never destroyed, as
// streams may outlive every other object.
struct EmulatedDevice {
  std::mutex mutex;
  std::vector<Stream::Impl*> streams;
};

EmulatedDevice& device() {
  static auto* const instance = new EmulatedDevice;
  return *instance;
}

// The caller holds the device. What stands behind a failed piece of work is dropped.
void drain(Stream::Impl& stream) {
  try {
    while (!stream.work.empty()) {
      const auto next = std::move(stream.work.front());
      stream.work.pop_front();
      next();
    }
  } catch (...) {
    stream.work.clear();
    throw;
  }
}

}  // namespace

Stream::Stream() : impl_(std::make_unique<Impl>()) {
  const std::lock_guard lock(device().mutex);
  device().streams.push_back(impl_.get());
}

Stream::~Stream() {
  const std::lock_guard lock(device().mutex);
  try {
    drain(*impl_);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s, in work that nobody waited for\n", error.what());
    std::abort();
  }
  std::erase(device().streams, impl_.get());
}

// A GPU may run other streams before, during or after this one. The worst case for a program that
// forgot to wait for this stream elsewhere is that all others went first.
void Stream::synchronize() {
  const std::lock_guard lock(device().mutex);
  for (Impl* other : device().streams) {
    if (other != impl_.get()) drain(*other);
  }
  drain(*impl_);
}

void emulator::enqueue(Stream& stream, Launch launch) {
  check_launch(launch);
  const std::lock_guard lock(device().mutex);
  stream.impl().work.emplace_back([launch = std::move(launch)] { run_grid(launch); });
}

}  // namespace imago
