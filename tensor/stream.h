// Work on a CUDA device: queues of it, marks in the queues, and recordings that can be replayed.
//
// A Stream runs what is put into it in order while the host goes on; work of different streams has
// no order but the one that events give. The same classes stand for CUDA's in a build by nvcc
// (tensor/cuda) and for emulated ones (tensor/emulated), whose work runs only when somebody waits
// for it. In a build without CUDA every constructor throws.
#pragma once

#include <functional>
#include <memory>

namespace imago {

class CachingAllocator;
class Event;

class Stream {
 public:
  Stream();
  // Waits for the work that is left. An error in it ends the program, as nobody can receive it.
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Waits on the host until all work put in so far is done. Throws Error when a kernel failed, and
  // while the stream is being captured.
  void synchronize();
  // Work put in from now on starts after `event` has been reached; the host does not wait. An event
  // that was never recorded counts as reached.
  void wait(const Event& event);

  struct Impl;  // differs between CUDA and the emulator; kernel sources never look inside
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// A mark in a stream.
class Event {
 public:
  Event();
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Puts the mark behind the work of `stream` so far; moves it if it was recorded before.
  void record(Stream& stream);
  // Waits on the host until the mark is reached; returns at once if it was never recorded.
  void synchronize();
  // Time between two marks that have both been reached, of the device's clock; of the host's clock
  // under emulation, where it says nothing about a GPU. Throws when one was not recorded.
  double milliseconds_since(const Event& earlier);

  struct Impl;
  const std::shared_ptr<Impl>& impl() const { return impl_; }

 private:
  std::shared_ptr<Impl> impl_;
};

// A recording of device work that is replayed with one call.
//
// Tensors made while recording live in memory of the graph's own, so that nothing else uses it
// between replays; those still alive when the graph goes keep that memory for ever. Tensors made
// before keep their addresses and are read and written by each replay. While recording the host may
// not wait for the stream, so item() and copies to the host throw.
class Graph {
 public:
  // Runs `work` on the host, recording what it puts into `stream` and into streams that wait for
  // events of it; none of it runs now. Throws Error when one of those streams is not joined again
  // by an event behind its last work. An event of the capture means nothing once that has ended: to
  // wait for it then is an error too, until it is recorded anew.
  static Graph capture(Stream& stream, const std::function<void()>& work);
  Graph(Graph&&) noexcept;
  Graph& operator=(Graph&&) noexcept;
  ~Graph();

  // Puts the recorded work into `stream`.
  void replay(Stream& stream);

 private:
  struct Impl;
  explicit Graph(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

// The device's compute stream, which lives as long as the program.
Stream& compute_stream();

// The stream of the current Context: its own, or else compute_stream(). The caching allocator hands
// out device memory in the order of this stream: memory that another stream uses must be kept alive
// until an event says that it is done, and must not be used there before the stream that allocated
// it has come so far.
Stream& current_stream();

}  // namespace imago
