#include "kernels/emulator/async_copy.h"

#include <algorithm>
#include <cstring>

#include "kernels/emulator/scheduler.h"

namespace imago::emulator {
namespace {

AsyncCopies& copies_of_caller(const char* word) {
  return Scheduler::of_this_thread().caller(word).copies;
}

// Carries out the copies of groups before `end`, in the order in which they were asked for.
void complete(AsyncCopies& copies, std::int64_t end) {
  const auto in_flight =
      std::find_if(copies.pending.begin(), copies.pending.end(),
                   [end](const AsyncCopies::Copy& copy) { return copy.group >= end; });
  for (auto copy = copies.pending.begin(); copy != in_flight; ++copy) {
    const Watched watched;
    auto* to = static_cast<std::byte*>(copy->to);
    if (copy->source_bytes > 0) {
      std::memcpy(to, copy->from, static_cast<std::size_t>(copy->source_bytes));
    }
    std::memset(to + copy->source_bytes, 0,
                static_cast<std::size_t>(copy->bytes - copy->source_bytes));
  }
  copies.pending.erase(copies.pending.begin(), in_flight);
}

}  // namespace

void async_copy(void* to, const void* from, int bytes, int source_bytes) {
  const Unwatched unwatched;
  AsyncCopies& copies = copies_of_caller("cp_async");
  const auto off = [bytes](const void* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer) % static_cast<std::uintptr_t>(bytes);
  };
  if (off(to) != 0 || (source_bytes > 0 && off(from) != 0)) {
    fault("cp_async of ", bytes, " bytes is misaligned: the addresses are ", off(to), " and ",
          off(from), " modulo ", bytes);
  }
  if (source_bytes < 0 || source_bytes > bytes) {
    fault("cp_async of ", bytes, " bytes reads ", source_bytes, " bytes");
  }
  check_shared("cp_async", to, static_cast<std::size_t>(bytes));
  {
    // Touches the source as well, so that a sanitizer's report shows the line of the copy.
    const Watched watched;
    if (source_bytes > 0) std::memcpy(to, from, static_cast<std::size_t>(source_bytes));
    std::memset(to, 0xff, static_cast<std::size_t>(bytes));
  }
  copies.pending.push_back({to, from, bytes, source_bytes, copies.group});
}

void async_commit() {
  const Unwatched unwatched;
  ++copies_of_caller("cp_async_commit").group;
}

void async_wait(int newest) {
  const Unwatched unwatched;
  AsyncCopies& copies = copies_of_caller("cp_async_wait");
  complete(copies, copies.group - newest);
}

void async_wait_all() {
  const Unwatched unwatched;
  AsyncCopies& copies = copies_of_caller("cp_async_wait_all");
  complete(copies, copies.group + 1);
}

}  // namespace imago::emulator
