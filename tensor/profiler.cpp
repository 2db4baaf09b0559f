#include "tensor/profiler.h"

#include <algorithm>

#include "tensor/layer_scope.h"
#include "tensor/stream.h"

namespace imago {
namespace {

constexpr std::size_t most_pending = 4096;  // device operations between two waits for their events

}  // namespace

// Events in the order they were recorded, and what they time. Events are made once and used again.
struct ProfilerScope::DeviceTimes {
  struct Pending {
    std::string op, layer;
    bool backward;
    double flops, bytes;
    std::size_t begin, end;  // events
    std::size_t depth;       // operations around it
  };

  std::vector<std::unique_ptr<Event>> events;
  std::size_t used = 0;
  std::vector<Pending> pending;
  Event base;          // where the device's time begins
  double base_us = 0;  // the host's time then

  std::size_t record() {
    if (used == events.size()) events.push_back(std::make_unique<Event>());
    events[used]->record(current_stream());
    return used++;
  }
};

ProfilerScope::ProfilerScope(const ProfilerOptions& options) : options_(options) {}
ProfilerScope::~ProfilerScope() = default;

double ProfilerScope::now() const {
  return std::chrono::duration<double, std::micro>(Clock::now() - start_).count();
}

void ProfilerScope::op_begins(const char* op, Device device) {
  Frame frame;
  frame.op = op;
  frame.on_device = device.is_cuda();
  if (frame.on_device) {
    if (!device_) {
      device_ = std::make_unique<DeviceTimes>();
      device_->base.record(current_stream());
      device_->base.synchronize();
      device_->base_us = now();
    }
    frame.begin_event = device_->record();
  }
  frame.start = now();
  frames_.push_back(std::move(frame));
}

void ProfilerScope::op_states_flops(double flops) {
  if (!frames_.empty()) frames_.back().flops += flops;
}

void ProfilerScope::memory_made(const void* address) {
  if (!frames_.empty()) frames_.back().uses[address].made_here = true;
}

// What an operation makes and gives back is workspace.
void ProfilerScope::memory_freed(const void* address) {
  if (!frames_.empty()) frames_.back().uses.erase(address);
}

void ProfilerScope::memory_used(const void* address, std::size_t bytes, bool written) {
  if (frames_.empty()) return;
  Use& use = frames_.back().uses[address];
  std::size_t& counted = written ? use.written : use.read;
  counted = std::max(counted, bytes);
}

void ProfilerScope::op_ends(const char*, Device) {
  if (frames_.empty()) return;  // it began before this did
  const double end = now();
  const Frame frame = std::move(frames_.back());
  frames_.pop_back();
  double bytes = 0;
  for (const auto& [address, use] : frame.uses) {
    bytes += static_cast<double>(use.written + (use.made_here ? 0 : use.read));
  }
  const std::string layer = LayerScope::path();
  if (frame.on_device) {
    device_->pending.push_back({frame.op, layer, backward_depth_ > 0, frame.flops, bytes,
                                frame.begin_event, device_->record(), frames_.size()});
    if (frames_.empty() && device_->pending.size() >= most_pending) resolve();
    return;
  }
  const double whole = (end - frame.start) * 1e-3;
  if (!frames_.empty()) frames_.back().inside += whole;
  trace(frame.op, Track::host, frame.start, end - frame.start);
  add(layer, backward_depth_ > 0, frame.op, whole - frame.inside, frame.flops, bytes);
}

void ProfilerScope::resolve() {
  if (!device_ || device_->pending.empty()) return;
  DeviceTimes& d = *device_;
  d.events[d.used - 1]->synchronize();
  // An operation comes after those inside it, which are one level deeper: inside[n] is the time of
  // those at depth n that the one around them has not claimed yet.
  std::vector<double> inside;
  for (const auto& p : d.pending) {
    Event& begin = *d.events[p.begin];
    d.events[p.end]->synchronize();
    const double whole = d.events[p.end]->milliseconds_since(begin);
    if (inside.size() < p.depth + 2) inside.resize(p.depth + 2);
    const double own = std::max(whole - inside[p.depth + 1], 0.0);
    inside[p.depth + 1] = 0;
    inside[p.depth] += whole;
    trace(p.op, Track::device, d.base_us + 1e3 * begin.milliseconds_since(d.base), 1e3 * whole);
    add(p.layer, p.backward, p.op, own, p.flops, p.bytes);
  }
  d.pending.clear();
  d.used = 0;
}

void ProfilerScope::add(const std::string& layer, bool backward, const std::string& op,
                        double milliseconds, double flops, double bytes) {
  ProfileRow& row = by_op_[op];
  row.op = op;
  row.calls += 1;
  row.milliseconds += milliseconds;
  row.flops += flops;
  row.bytes += bytes;
  const ProfilerCeilings& c = options_.ceilings;
  // Where only one ceiling is known, only what it bounds has a floor.
  const bool known = (flops == 0 || c.flops_per_second > 0) && c.bytes_per_second > 0;
  if (known) {
    const double arithmetic = flops > 0 ? flops / c.flops_per_second : 0;
    row.floor_ms += 1e3 * std::max(arithmetic, bytes / c.bytes_per_second);
  }
  ProfileLayerRow& of_layer = by_layer_[layer];
  of_layer.layer = layer;
  (backward ? of_layer.backward_ms : of_layer.forward_ms) += milliseconds;
}

void ProfilerScope::trace(std::string name, Track track, double start, double duration) {
  if (events_.size() >= options_.trace_events) {
    dropped_ += 1;
    return;
  }
  events_.push_back({std::move(name), track, start, duration});
}

void ProfilerScope::layer_begins(const std::string&) {
  const std::string path = LayerScope::path();
  ranges_.push_back({path.empty() ? "(unnamed layer)" : path, now()});
}

void ProfilerScope::layer_ends() {
  if (ranges_.empty()) return;
  Range range = std::move(ranges_.back());
  ranges_.pop_back();
  trace(std::move(range.name), Track::host, range.start, now() - range.start);
}

void ProfilerScope::backward_begins(const char* op) {
  backward_depth_ += 1;
  const std::string layer = LayerScope::path();
  ranges_.push_back(
      {"backward of " + std::string(op) + (layer.empty() ? "" : " in ") + layer, now()});
}

void ProfilerScope::backward_ends() {
  if (backward_depth_ > 0) backward_depth_ -= 1;
  layer_ends();
}

std::vector<ProfileRow> ProfilerScope::rows() {
  resolve();
  std::vector<ProfileRow> all;
  for (const auto& [op, row] : by_op_) all.push_back(row);
  std::stable_sort(all.begin(), all.end(), [](const ProfileRow& a, const ProfileRow& b) {
    return a.milliseconds > b.milliseconds;
  });
  return all;
}

std::vector<ProfileLayerRow> ProfilerScope::layer_rows() {
  resolve();
  std::vector<ProfileLayerRow> all;
  for (const auto& [layer, row] : by_layer_) all.push_back(row);
  std::stable_sort(all.begin(), all.end(), [](const ProfileLayerRow& a, const ProfileLayerRow& b) {
    return a.forward_ms + a.backward_ms > b.forward_ms + b.backward_ms;
  });
  return all;
}

}  // namespace imago
