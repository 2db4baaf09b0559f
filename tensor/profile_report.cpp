// What a profiler says, as tables and as a trace.
#include <cstdio>
#include <sstream>

#include "tensor/profiler.h"

namespace imago {
namespace {

std::string cell(const char* format, double value, bool known) {
  char text[32];
  if (!known) return "-";
  std::snprintf(text, sizeof text, format, value);
  return text;
}

template <class... Cells>
std::string line(const char* format, Cells... cells) {
  char text[256];
  std::snprintf(text, sizeof text, format, cells...);
  return text;
}

// As a string of JSON.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      result += line("\\u%04x", static_cast<unsigned>(c));
    } else {
      result += c;
    }
  }
  return result + "\"";
}

}  // namespace

std::string ProfilerScope::report() {
  const std::vector<ProfileRow> by_op = rows();
  double total = 0;
  std::uint64_t calls = 0;
  for (const ProfileRow& row : by_op) total += row.milliseconds, calls += row.calls;
  std::ostringstream out;
  out << line("%-28s %8s %10s %6s %9s %8s %8s\n", "operation", "calls", "ms", "share", "GFLOP/s",
              "GB/s", "floor");
  for (const ProfileRow& row : by_op) {
    const double seconds = row.milliseconds * 1e-3;
    out << line("%-28s %8llu %10.3f %5.1f%% %9s %8s %8s\n", row.op.c_str(),
                static_cast<unsigned long long>(row.calls), row.milliseconds,
                total > 0 ? 100 * row.milliseconds / total : 0,
                cell("%.1f", row.flops * 1e-9 / seconds, row.flops > 0 && seconds > 0).c_str(),
                cell("%.1f", row.bytes * 1e-9 / seconds, row.bytes > 0 && seconds > 0).c_str(),
                cell("%.0f%%", 100 * row.floor_ms / row.milliseconds,
                     row.floor_ms > 0 && row.milliseconds > 0)
                    .c_str());
  }
  out << line("%-28s %8llu %10.3f\n", "in operations", static_cast<unsigned long long>(calls),
              total);
  out << line("%-28s %8s %10.3f  since the profiler began\n", "wall clock", "", now() * 1e-3);
  out << (device_ ? "Device time between two events around each operation.\n"
                  : "Time of the host's clock.\n")
      << "GB/s and floor: every tensor of an operation read or written once a call, no "
         "workspace.\n";
  if (options_.ceilings.flops_per_second > 0 || options_.ceilings.bytes_per_second > 0) {
    out << "floor: the least time at "
        << cell("%.0f GFLOP/s", options_.ceilings.flops_per_second * 1e-9,
                options_.ceilings.flops_per_second > 0)
        << " and "
        << cell("%.1f GB/s", options_.ceilings.bytes_per_second * 1e-9,
                options_.ceilings.bytes_per_second > 0)
        << ", as a share of the time taken; above 100% what is moved stayed in caches, or the "
           "engine does with less arithmetic.\n";
  }

  out << line("\n%-40s %12s %12s %12s\n", "layer", "forward ms", "backward ms", "together");
  for (const ProfileLayerRow& row : layer_rows()) {
    out << line("%-40s %12.3f %12.3f %12.3f\n",
                row.layer.empty() ? "(outside of layers)" : row.layer.c_str(), row.forward_ms,
                row.backward_ms, row.forward_ms + row.backward_ms);
  }
  if (dropped_ > 0) {
    out << "The trace holds the first " << events_.size() << " events; " << dropped_
        << " came after them.\n";
  }
  return out.str();
}

std::string ProfilerScope::chrome_trace() {
  resolve();
  std::ostringstream out;
  out << "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"
      << R"({"name":"thread_name","ph":"M","pid":1,"tid":1,"args":{"name":"host"}})";
  if (device_) {
    out << ",\n"
        << R"({"name":"thread_name","ph":"M","pid":1,"tid":2,"args":{"name":"device"}})";
  }
  for (const TraceEvent& event : events_) {
    out << ",\n{\"name\":" << quoted(event.name)
        << ",\"ph\":\"X\",\"pid\":1,\"tid\":" << (event.track == Track::host ? 1 : 2)
        << line(",\"ts\":%.3f,\"dur\":%.3f}", event.start, event.duration);
  }
  out << "\n]}\n";
  return out.str();
}

}  // namespace imago
