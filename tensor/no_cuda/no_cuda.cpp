// A build without CUDA: nothing here can be reached but why_no_device, and a Stream of one's own.
#include "tensor/backend.h"
#include "tensor/device_memory.h"
#include "tensor/error.h"

namespace imago {
namespace {

[[noreturn]] void unavailable(const char* what) {
  fail(what, backend::why_no_device());
}

}  // namespace

const bool backend::emulated = false;

const std::string& backend::why_no_device() {
  static const std::string& why =
      *new std::string("no CUDA kernel in this build (configured with IMAGO_CUDA=OFF)");
  return why;
}

std::string backend::device_name() {
  unavailable("device");
}
std::string backend::driver_versions() {
  unavailable("device");
}
void backend::push_range(const char*) {}
void backend::pop_range() {}

struct Stream::Impl {};
struct Event::Impl {};
struct Graph::Impl {};

Stream::Stream() {
  unavailable("stream");
}
Stream::~Stream() = default;
void Stream::synchronize() {}
void Stream::wait(const Event&) {}

Event::Event() {
  unavailable("event");
}
Event::~Event() = default;
void Event::record(Stream&) {}
void Event::synchronize() {}
double Event::milliseconds_since(const Event&) {
  return 0;
}

Graph Graph::capture(Stream&, const std::function<void()>&) {
  unavailable("graph");
}
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;
Graph::~Graph() = default;
void Graph::replay(Stream&) {}

BlockSource& cuda_memory() {
  unavailable("allocate");
}
void copy_to_device(void*, const void*, std::size_t, Stream&) {
  unavailable("copy");
}
void copy_to_host(void*, const void*, std::size_t, Stream&) {
  unavailable("copy");
}
void copy_on_device(void*, const void*, std::size_t, Stream&) {
  unavailable("copy");
}
void set_bytes(void*, unsigned char, std::size_t, Stream&) {
  unavailable("set_bytes");
}
PinnedBuffer::PinnedBuffer(std::size_t) {
  unavailable("pinned memory");
}
PinnedBuffer::~PinnedBuffer() = default;

}  // namespace imago
