// Streams, events and graphs of the CUDA runtime.
#include <cstdio>
#include <cstdlib>

#include "tensor/context.h"
#include "tensor/cuda/runtime.h"
#include "tensor/device_memory.h"
#include "tensor/error.h"

namespace imago {

Stream::Stream() : impl_(std::make_unique<Impl>()) {
  check_cuda(cudaStreamCreateWithFlags(&impl_->stream, cudaStreamNonBlocking), "stream");
}

Stream::~Stream() {
  cudaError_t status = cudaStreamSynchronize(impl_->stream);
  if (status == cudaSuccess) status = cudaStreamDestroy(impl_->stream);
  if (status == cudaSuccess || cuda_has_failed()) return;
  std::fprintf(stderr, "[stream] CUDA: %s, in work that nobody waited for\n",
               cudaGetErrorString(status));
  std::abort();
}

void Stream::synchronize() {
  check_cuda(cudaStreamSynchronize(impl_->stream), "stream");
}

struct Event::Impl {
  cudaEvent_t event = nullptr;

  Impl() { check_cuda(cudaEventCreate(&event), "event"); }
  ~Impl() { ignore_cuda(cudaEventDestroy(event)); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
};

void Stream::wait(const Event& event) {
  check_cuda(cudaStreamWaitEvent(impl_->stream, event.impl()->event, 0), "stream");
}

Event::Event() : impl_(std::make_shared<Impl>()) {}
Event::~Event() = default;

void Event::record(Stream& stream) {
  check_cuda(cudaEventRecord(impl_->event, stream.impl().stream), "event");
}

void Event::synchronize() {
  check_cuda(cudaEventSynchronize(impl_->event), "event");
}

double Event::milliseconds_since(const Event& earlier) {
  float milliseconds = 0;
  check_cuda(cudaEventElapsedTime(&milliseconds, earlier.impl()->event, impl_->event), "event");
  return static_cast<double>(milliseconds);
}

struct Graph::Impl {
  std::unique_ptr<CachingAllocator> memory;
  cudaGraphExec_t executable = nullptr;

  ~Impl() {
    if (executable) ignore_cuda(cudaGraphExecDestroy(executable));
    if (memory && memory->stats().live_bytes > 0) (void)memory.release();
  }
};

Graph::Graph(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;
Graph::~Graph() = default;

Graph Graph::capture(Stream& stream, const std::function<void()>& work) {
  auto impl = std::make_unique<Impl>();
  impl->memory = std::make_unique<CachingAllocator>(cuda_memory());
  const cudaStream_t handle = stream.impl().stream;
  cudaGraph_t graph = nullptr;
  {
    const ContextScope scope;
    Context::current().stream = &stream;
    Context::current().device_allocator = impl->memory.get();
    // Relaxed: the graph's memory may have to grow while it records.
    check_cuda(cudaStreamBeginCapture(handle, cudaStreamCaptureModeRelaxed), "graph");
    try {
      work();
    } catch (...) {
      cudaStreamEndCapture(handle, &graph);
      if (graph) cudaGraphDestroy(graph);
      cudaGetLastError();  // what broke the capture is being thrown
      throw;
    }
    check_cuda(cudaStreamEndCapture(handle, &graph), "graph");
  }
  const cudaError_t status = cudaGraphInstantiate(&impl->executable, graph, 0);
  cudaGraphDestroy(graph);
  check_cuda(status, "graph");
  return Graph(std::move(impl));
}

void Graph::replay(Stream& stream) {
  check_cuda(cudaGraphLaunch(impl_->executable, stream.impl().stream), "graph");
}

}  // namespace imago
