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
#include <map>
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

// How many pieces of each stream's part of a capture stand before a point of one of them.
using Before = std::map<const Stream::Impl*, std::size_t>;

// A capture from its first call to its last. Marks may know it for longer, so that a wait for one
// of them is told from a wait for work that runs, and refused as CUDA refuses it.
struct Capture {
  std::vector<Work> work;  // of all its streams, in an order in which it may run
  bool ended = false;
  bool lost_stream = false;  // one that was taken in is gone
};

}  // namespace

// One recording of a mark; each Event::record makes a new one.
struct Event::Impl {
  struct Mark {
    Stream::Impl* stream = nullptr;
    std::shared_ptr<Capture> capture;  // none: a mark in the stream itself
    Before before;                     // of the capture
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
  std::shared_ptr<Capture> capture;  // that records what is put in; none: it stays here
  Before before;                     // what comes next in the capture

  void join(std::shared_ptr<Capture> taking) {
    capture = std::move(taking);
    // To join counts as work, so that a stream with no work of its own must be joined again too.
    before = {{this, 1}};
  }
  void leave() {
    capture = nullptr;
    before.clear();
  }
};

struct Graph::Impl {
  std::unique_ptr<CachingAllocator> memory;
  std::vector<Work> work;

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
  if (stream.capture) {
    stream.capture->work.push_back(std::move(work));
    ++stream.before[&stream];
  } else {
    stream.entries.push_back({std::move(work), nullptr});
  }
}

// Lets all streams out of a capture. Returns why it cannot become a graph; null when it can.
const char* end(Capture& capture, const Stream::Impl& origin) {
  const Before joined = origin.before;
  const char* why =
      capture.lost_stream ? "a stream of the capture went away before its end" : nullptr;
  for (Stream::Impl* each : device().streams) {
    if (each->capture.get() != &capture) continue;
    const auto seen = joined.find(each);
    if (seen == joined.end() || seen->second != each->before.at(each)) {
      why =
          "a stream that was forked from the captured one is not joined again at the end; record "
          "an "
          "event behind the last work of each such stream and let the captured stream wait for it";
    }
    each->leave();
  }
  capture.ended = true;
  if (why) capture.work.clear();
  return why;
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
  if (impl_->capture) impl_->capture->lost_stream = true;
  std::erase(device().streams, impl_.get());
}

void Stream::synchronize() {
  const std::lock_guard lock(device().mutex);
  check(!impl_->capture, "stream",
        "the host cannot wait for a stream that is being captured into a graph; read results after "
        "the replay");
  drain_others(impl_.get());
  drain(*impl_);
}

void Stream::wait(const Event& event) {
  const std::lock_guard lock(device().mutex);
  const auto& mark = event.impl()->mark;
  if (!mark) return;
  if (mark->capture) {
    check(
        !mark->capture->ended, "stream",
        "a stream cannot wait for an event that was recorded in a capture which has ended, as the "
        "mark is in the graph alone; record the event again behind the replay");
    check(!impl_->capture || impl_->capture == mark->capture, "stream",
          "a stream that is being captured cannot wait for an event of another capture");
    // Work of a capture is recorded in an order in which it may run, so a stream that joins only
    // has to write into the same recording.
    if (!impl_->capture) impl_->join(mark->capture);
    for (const auto& [stream, count] : mark->before) {
      std::size_t& known = impl_->before[stream];
      known = std::max(known, count);
    }
    return;
  }
  check(!impl_->capture, "stream",
        "a stream that is being captured cannot wait for an event from outside the capture");
  if (!mark->reached) impl_->entries.push_back({nullptr, mark});
}

Event::Event() : impl_(std::make_shared<Impl>()) {}
Event::~Event() = default;

void Event::record(Stream& stream) {
  const std::lock_guard lock(device().mutex);
  auto mark = std::make_shared<Mark>();
  mark->stream = &stream.impl();
  mark->capture = stream.impl().capture;
  mark->before = stream.impl().before;
  impl_->mark = mark;
  if (mark->capture) return;
  put(stream.impl(), [mark] {
    mark->time = Clock::now();
    mark->reached = true;
  });
}

void Event::synchronize() {
  const std::lock_guard lock(device().mutex);
  if (!impl_->mark || impl_->mark->reached) return;
  check(!impl_->mark->capture, "event", "the host cannot wait for an event of a captured graph");
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
  const auto capture = std::make_shared<Capture>();
  const auto stop = [&] {
    const std::lock_guard lock(device().mutex);
    return end(*capture, stream.impl());
  };
  {
    const std::lock_guard lock(device().mutex);
    check(!stream.impl().capture, "graph", "this stream is being captured already");
    stream.impl().join(capture);
  }
  {
    const ContextScope scope;
    Context::current().stream = &stream;
    Context::current().device_allocator = impl->memory.get();
    try {
      work();
    } catch (...) {
      stop();
      capture->work.clear();
      throw;
    }
  }
  if (const char* why = stop()) fail("graph", why);
  impl->work = std::move(capture->work);
  return Graph(std::move(impl));
}

void Graph::replay(Stream& stream) {
  const std::lock_guard lock(device().mutex);
  for (const Work& work : impl_->work) put(stream.impl(), work);
}

void emulator::enqueue(Stream& stream, std::function<void()> work) {
  const std::lock_guard lock(device().mutex);
  put(stream.impl(), std::move(work));
}

bool emulator::is_capturing(Stream& stream) {
  const std::lock_guard lock(device().mutex);
  return stream.impl().capture != nullptr;
}

void emulator::synchronize_device() {
  const std::lock_guard lock(device().mutex);
  const std::vector<Stream::Impl*> all = device().streams;
  for (Stream::Impl* stream : all) drain(*stream);
}

}  // namespace imago
