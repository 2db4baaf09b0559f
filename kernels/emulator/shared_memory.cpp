#include "kernels/emulator/shared_memory.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "kernels/emulator/scheduler.h"

namespace imago::emulator {

SharedMemory::SharedMemory(const SharedType& type) : type_(type) {
  const std::size_t rounded = (type.bytes + type.alignment - 1) / type.alignment * type.alignment;
  memory_ = std::aligned_alloc(type.alignment, rounded);
  if (!memory_) throw std::bad_alloc();
  std::memset(memory_, 0xff, rounded);
  type.construct(memory_);
}

SharedMemory::~SharedMemory() {
  type_.destroy(memory_);
  std::free(memory_);
}

void* shared_memory(const SharedType& wanted) {
  const Unwatched unwatched;
  Scheduler& scheduler = Scheduler::of_this_thread();
  auto& shared = scheduler.caller("shared<Block>()").block->shared;
  if (shared && &shared->type() != &wanted) {
    fault("shared memory is used as two different structs");
  }
  const std::size_t launched = scheduler.launch()->shared_bytes;
  if (wanted.bytes > launched) {
    fault("shared memory of ", wanted.bytes, " bytes is used but ", launched,
          " were launched with");
  }
  if (!shared) shared = std::make_unique<SharedMemory>(wanted);
  return shared->get();
}

void check_shared(const char* word, const void* first, std::size_t bytes) {
  const Unwatched unwatched;
  const auto& shared = Scheduler::of_this_thread().caller(word).block->shared;
  const auto at = reinterpret_cast<std::uintptr_t>(first);
  const auto start = shared ? reinterpret_cast<std::uintptr_t>(shared->get()) : 0;
  if (!shared || at < start || at + bytes > start + shared->type().bytes) {
    fault(word, ": ", bytes, " bytes do not lie in the shared memory of the block");
  }
}

}  // namespace imago::emulator
