// A profiler of operations: what ran, how often, how long, and how near to what the machine can do.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tensor/observer.h"

namespace imago {

// What the machine can do at most; 0 where it is not known.
struct ProfilerCeilings {
  double flops_per_second = 0;
  double bytes_per_second = 0;  // read and written
};

struct ProfilerOptions {
  ProfilerCeilings ceilings = {};
  std::size_t trace_events = 200'000;  // the trace ends after so many; the tables go on
};

struct ProfileRow {
  std::string op;
  std::uint64_t calls = 0;
  double milliseconds = 0;  // without the operations inside it, which have rows of their own
  double flops = 0;         // 0 where the operation states none
  double bytes = 0;         // of the tensors it reads and writes, each once a call
  double floor_ms = 0;      // the least time for both at the ceilings; 0 where these are not known
};

struct ProfileLayerRow {
  std::string layer;  // "" for what ran outside of every layer
  double forward_ms = 0, backward_ms = 0;
};

// While one lives, every operation of this thread is timed.
//
// Operations on the CPU: by the clock of the host. Operations on a CUDA device: by two events in
// the current stream around each, so the host still runs ahead; the time is the device's from the
// one to the other, idling included where the host cannot keep up. Under emulation it is that of
// the emulator and says nothing about a GPU. Every so often, and for reports, the host waits for
// the device to read the events. Do not capture graphs meanwhile.
//
// Bytes are those of the tensors an operation takes elements from, each counted once a call and
// workspace not at all: what it must move at least, hence what its floor is made of.
class ProfilerScope final : public Observer {
 public:
  explicit ProfilerScope(const ProfilerOptions& options = {});
  ~ProfilerScope() override;

  // So far; those that cost most first.
  std::vector<ProfileRow> rows();
  std::vector<ProfileLayerRow> layer_rows();
  // Both as tables of fixed width: calls, ms, share of the time in operations, GFLOP/s, GB/s and
  // per cent of the floor, then ms by layer, forward and backward.
  std::string report();
  // For chrome://tracing and https://ui.perfetto.dev: operations, within the layers that called
  // them; operations of a CUDA device on a track of their own.
  std::string chrome_trace();

  void op_begins(const char* op, Device device) override;
  void op_states_flops(double flops) override;
  void op_ends(const char* op, Device device) override;
  void memory_made(const void* address) override;
  void memory_freed(const void* address) override;
  void memory_used(const void* address, std::size_t bytes, bool written) override;
  void layer_begins(const std::string& name) override;
  void layer_ends() override;
  void backward_begins(const char* op) override;
  void backward_ends() override;

 private:
  using Clock = std::chrono::steady_clock;
  struct DeviceTimes;

  struct Use {
    std::size_t read = 0, written = 0;
    bool made_here = false;
  };
  struct Frame {  // an operation that runs
    const char* op = nullptr;
    bool on_device = false;
    double start = 0;   // microseconds
    double inside = 0;  // milliseconds of operations inside
    double flops = 0;
    std::size_t begin_event = 0;
    std::unordered_map<const void*, Use> uses;
  };
  struct Range {  // a layer or a backward that runs
    std::string name;
    double start;
  };
  enum class Track : std::uint8_t { host, device };
  struct TraceEvent {
    std::string name;
    Track track;
    double start, duration;  // microseconds
  };

  double now() const;  // microseconds since this began
  void add(const std::string& layer, bool backward, const std::string& op, double milliseconds,
           double flops, double bytes);
  void trace(std::string name, Track track, double start, double duration);
  void resolve();  // waits for the device and takes over its times

  ProfilerOptions options_;
  Clock::time_point start_ = Clock::now();
  std::vector<Frame> frames_;
  std::vector<Range> ranges_;
  int backward_depth_ = 0;
  std::map<std::string, ProfileRow> by_op_;
  std::map<std::string, ProfileLayerRow> by_layer_;
  std::vector<TraceEvent> events_;
  std::uint64_t dropped_ = 0;
  std::unique_ptr<DeviceTimes> device_;  // null until the first operation on a device
};

}  // namespace imago
