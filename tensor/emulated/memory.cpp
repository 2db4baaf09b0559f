// Memory of the emulated device: the host's, so that sanitizers watch it. Everything that happens
// to it happens in the order of streams, the poisoning of freed memory included.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include "tensor/backend.h"
#include "tensor/device_memory.h"
#include "tensor/emulated/stream.h"
#include "tensor/error.h"

namespace imago {
namespace {

using Bytes = std::vector<std::byte>;

class EmulatedMemory final : public BlockSource {
 public:
  static constexpr std::size_t alignment = 256;  // as cudaMalloc gives

  void* acquire(std::size_t bytes) override {
    return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  }
  void release(void* block, std::size_t) override {
    emulator::synchronize_device();
    std::free(block);
  }
  const char* name() const override { return "cuda:0 (emulated)"; }
  void set_usable(void* block, std::size_t usable, std::size_t bytes) override {
    if (!sanitizer_marks_memory) return;
    emulator::enqueue(current_stream(), [=] { mark_usable(block, usable, bytes); });
  }
  void fill(void* block, unsigned char value, std::size_t bytes) override {
    set_bytes(block, value, bytes, current_stream());
  }
  bool is_filled(const void* block, unsigned char value, std::size_t bytes) override {
    Bytes host(bytes);
    copy_to_host(host.data(), block, bytes, current_stream());
    return std::all_of(host.begin(), host.end(),
                       [&](std::byte byte) { return byte == std::byte{value}; });
  }
};

// The page-locked buffers that exist.
struct Pinned {
  std::mutex mutex;
  std::vector<const PinnedBuffer*> buffers;

  bool holds(const void* pointer) {
    const std::lock_guard lock(mutex);
    return std::any_of(buffers.begin(), buffers.end(), [&](const PinnedBuffer* buffer) {
      return pointer >= buffer->data() && pointer < buffer->data() + buffer->bytes();
    });
  }
};

Pinned& pinned() {
  static Pinned& instance = *new Pinned;
  return instance;
}

}  // namespace

const bool backend::emulated = true;

const std::string& backend::why_no_device() {
  static const std::string& nothing = *new std::string;
  return nothing;
}

std::string backend::device_name() {
  return "emulated on the CPU";
}
std::string backend::driver_versions() {
  return "";
}
void backend::push_range(const char*) {}
void backend::pop_range() {}

BlockSource& cuda_memory() {
  static EmulatedMemory& memory = *new EmulatedMemory;
  return memory;
}

void copy_to_device(void* device, const void* host, std::size_t bytes, Stream& stream) {
  if (pinned().holds(host)) {
    emulator::enqueue(stream, [=] { std::memcpy(device, host, bytes); });
    return;
  }
  check(!emulator::is_capturing(stream), "copy", backend::capture_needs_pinned);
  const auto* first = static_cast<const std::byte*>(host);
  emulator::enqueue(stream, [device, copy = Bytes(first, first + bytes)] {
    std::memcpy(device, copy.data(), copy.size());
  });
}

void copy_to_host(void* host, const void* device, std::size_t bytes, Stream& stream) {
  emulator::enqueue(stream, [=] { std::memcpy(host, device, bytes); });
  if (!pinned().holds(host)) stream.synchronize();
}

void copy_on_device(void* to, const void* from, std::size_t bytes, Stream& stream) {
  const auto* t = static_cast<const std::byte*>(to);
  const auto* f = static_cast<const std::byte*>(from);
  check(t + bytes <= f || f + bytes <= t, "copy", "source and target overlap on the device");
  emulator::enqueue(stream, [=] { std::memcpy(to, from, bytes); });
}

void set_bytes(void* device, unsigned char value, std::size_t bytes, Stream& stream) {
  emulator::enqueue(stream, [=] { std::memset(device, value, bytes); });
}

PinnedBuffer::PinnedBuffer(std::size_t bytes)
    : data_(static_cast<std::byte*>(std::malloc(bytes))), bytes_(bytes) {
  check(data_ != nullptr, "pinned memory", "out of memory: ", bytes, " bytes requested");
  const std::lock_guard lock(pinned().mutex);
  pinned().buffers.push_back(this);
}

PinnedBuffer::~PinnedBuffer() {
  {
    const std::lock_guard lock(pinned().mutex);
    std::erase(pinned().buffers, this);
  }
  std::free(data_);
}

}  // namespace imago
