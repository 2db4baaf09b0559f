#include "tensor/allocator_report.h"

#include <cstdio>
#include <sstream>

namespace imago {
namespace {

void list_groups(std::ostream& out, const std::vector<BlockGroup>& groups, std::size_t largest) {
  std::size_t shown = 0;
  std::size_t rest_bytes = 0, rest_blocks = 0;
  for (const BlockGroup& group : groups) {
    if (shown < largest) {
      char size[32];
      std::snprintf(size, sizeof size, "%14s  ", readable_bytes(group.bytes).c_str());
      out << size << group.blocks << " x " << group.label.to_string() << '\n';
      shown += 1;
    } else {
      rest_bytes += group.bytes;
      rest_blocks += group.blocks;
    }
  }
  if (rest_blocks > 0) {
    char size[32];
    std::snprintf(size, sizeof size, "%14s  ", readable_bytes(rest_bytes).c_str());
    out << size << "in " << rest_blocks << " smaller blocks\n";
  }
}

}  // namespace

std::string allocator_report(const CachingAllocator& allocator, std::size_t largest) {
  const AllocatorStats stats = allocator.stats();
  const std::vector<BlockGroup> live = allocator.live_groups(), peak = allocator.peak_groups();
  std::size_t blocks = 0;
  for (const BlockGroup& group : live) blocks += group.blocks;
  std::ostringstream out;
  char served[32];
  std::snprintf(served, sizeof served, "%.1f%%",
                stats.allocations ? 100.0 * static_cast<double>(stats.cache_hits) /
                                        static_cast<double>(stats.allocations)
                                  : 0.0);
  out << allocator.name() << ": " << readable_bytes(stats.live_bytes) << " live in " << blocks
      << " blocks, " << readable_bytes(stats.cached_bytes) << " cached, "
      << readable_bytes(stats.peak_live_bytes) << " at the peak; " << served << " of "
      << stats.allocations << " requests served from the cache\n";
  if (!live.empty()) {
    out << "live, by what they were made for:\n";
    list_groups(out, live, largest);
  }
  if (!peak.empty()) {
    out << "at the peak:\n";
    list_groups(out, peak, largest);
  }
  return out.str();
}

}  // namespace imago
