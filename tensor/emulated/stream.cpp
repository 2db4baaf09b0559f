// Streams, events and graphs of the emulated device.
//
// A stream is a list of pieces of work that nobody runs until somebody waits for it, so that a
// program which forgets to wait reads what was there before. Which streams run first is up to the
// schedule (tensor/emulated/order.h): under `forward` nothing but what is waited for, under the
// other orders all other streams first. A missing wait between two streams fails under one of them.
#include "tensor/emulated/stream.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "tensor/context.h"
#include "tensor/device_memory.h"
#include "tensor/emulated/order.h"
#include "tensor/error.h"

namespace imago {
namespace {

using Clock = std::chrono::steady_clock;
using Work = std::function<void()>;

struct Recording {
  std::vector<Work> work;
};

}  // namespace

// One recording of a mark; each Event::record makes a new one.
struct Event::Impl {
  struct Mark {
    Stream::Impl* stream = nullptr;
    Recording* captured_by = nullptr;
    bool reached = false;
    Clock::time_point time;
  };
  std::shared_ptr<Mark> mark;  // none before the first record
};

using Mark = Event::Impl::Mark;

struct Stream::Impl {
  // Work, or a mark to be reached in another stream first.
  struct Entry {
    Work work;
    std::shared_ptr<Mark> wait_for;
  };
  std::deque<Entry> entries;
  Recording* recording = nullptr;
};

struct Graph::Impl {
  std::unique_ptr<CachingAllocator> memory;
  Recording recording;

  ~Impl() {
    if (memory && memory->stats().live_bytes > 0) (void)memory.release();
  }
};

namespace {

// There is one emulated device: its streams, and the right to run on it. Never destroyed, as
// streams may outlive every other object. Recursive, because freeing memory inside work waits for
// the device.
struct EmulatedDevice {
  std::recursive_mutex mutex;
  std::vector<Stream::Impl*> streams;
};

EmulatedDevice& device() {
  static auto* const instance = new EmulatedDevice;
  return *instance;
}

// The functions below are called by the holder of the device.

// Runs the stream until `mark` is reached, or to its end. What stands behind a failed piece of work
// is dropped.
void drain(Stream::Impl& stream, const Mark* mark = nullptr) {
  try {
    while (!stream.entries.empty() && !(mark && mark->reached)) {
      const Stream::Impl::Entry next = std::move(stream.entries.front());
      stream.entries.pop_front();
      if (next.wait_for && !next.wait_for->reached) {
        drain(*next.wait_for->stream, next.wait_for.get());
      }
      if (next.work) next.work();
    }
  } catch (...) {
    stream.entries.clear();
    throw;
  }
}

void drain_others(const Stream::Impl* waited_for) {
  if (emulator::ScheduleScope::current().order == emulator::Order::forward) return;
  const std::vector<Stream::Impl*> all = device().streams;
  for (Stream::Impl* other : all) {
    if (other != waited_for) drain(*other);
  }
}

void put(Stream::Impl& stream, Work work) {
  if (stream.recording) {
    stream.recording->work.push_back(std::move(work));
  } else {
    stream.entries.push_back({std::move(work), nullptr});
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

void Stream::synchronize() {
  const std::lock_guard lock(device().mutex);
  check(!impl_->recording, "stream",
        "the host cannot wait for a stream that is being captured into a graph; read results after "
        "the replay");
  drain_others(impl_.get());
  drain(*impl_);
}

void Stream::wait(const Event& event) {
  const std::lock_guard lock(device().mutex);
  const auto& mark = event.impl()->mark;
  if (!mark) return;
  if (mark->captured_by) {
    // Work of a graph is recorded in an order in which it may run, so a joined stream only has to
    // write into the same recording.
    impl_->recording = mark->captured_by;
    return;
  }
  check(!impl_->recording, "stream",
        "a stream that is being captured cannot wait for an event from outside the capture");
  if (!mark->reached) impl_->entries.push_back({nullptr, mark});
}

Event::Event() : impl_(std::make_shared<Impl>()) {}
Event::~Event() = default;

void Event::record(Stream& stream) {
  const std::lock_guard lock(device().mutex);
  auto mark = std::make_shared<Mark>();
  mark->stream = &stream.impl();
  mark->captured_by = stream.impl().recording;
  impl_->mark = mark;
  if (mark->captured_by) return;
  put(stream.impl(), [mark] {
    mark->time = Clock::now();
    mark->reached = true;
  });
}

void Event::synchronize() {
  const std::lock_guard lock(device().mutex);
  if (!impl_->mark || impl_->mark->reached) return;
  check(!impl_->mark->captured_by, "event",
        "the host cannot wait for an event of a captured graph");
  drain_others(impl_->mark->stream);
  if (!impl_->mark->reached) drain(*impl_->mark->stream, impl_->mark.get());
}

double Event::milliseconds_since(const Event& earlier) {
  const std::lock_guard lock(device().mutex);
  for (const auto& impl : {impl_, earlier.impl()}) {
    check(impl->mark && impl->mark->reached, "event",
          "a time is asked for, but an event was not recorded or is not reached yet");
  }
  return std::chrono::duration<double, std::milli>(impl_->mark->time - earlier.impl()->mark->time)
      .count();
}

Graph::Graph(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;
Graph::~Graph() = default;

Graph Graph::capture(Stream& stream, const std::function<void()>& work) {
  auto impl = std::make_unique<Impl>();
  impl->memory = std::make_unique<CachingAllocator>(cuda_memory());
  const auto end = [&] {
    const std::lock_guard lock(device().mutex);
    for (Stream::Impl* each : device().streams) {
      if (each->recording == &impl->recording) each->recording = nullptr;
    }
  };
  {
    const std::lock_guard lock(device().mutex);
    check(!stream.impl().recording, "graph", "this stream is being captured already");
    stream.impl().recording = &impl->recording;
  }
  {
    const ContextScope scope;
    Context::current().stream = &stream;
    Context::current().device_allocator = impl->memory.get();
    try {
      work();
    } catch (...) {
      end();
      throw;
    }
  }
  end();
  return Graph(std::move(impl));
}

void Graph::replay(Stream& stream) {
  const std::lock_guard lock(device().mutex);
  for (const Work& work : impl_->recording.work) put(stream.impl(), work);
}

void emulator::enqueue(Stream& stream, std::function<void()> work) {
  const std::lock_guard lock(device().mutex);
  put(stream.impl(), std::move(work));
}

bool emulator::is_capturing(Stream& stream) {
  const std::lock_guard lock(device().mutex);
  return stream.impl().recording != nullptr;
}

void emulator::synchronize_device() {
  const std::lock_guard lock(device().mutex);
  const std::vector<Stream::Impl*> all = device().streams;
  for (Stream::Impl* stream : all) drain(*stream);
}

}  // namespace imago
