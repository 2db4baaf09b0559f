// Context: the only ambient state, thread-local and scoped. It says where new tensors go, how many
// threads kernels use, where random numbers come from and whether operations are recorded.
#pragma once

#include <cstdint>
#include <string>

#include "tensor/allocator.h"
#include "tensor/device.h"
#include "tensor/philox.h"

namespace imago {

class Stream;

// Names the draws of random tensors. Draw numbers count up within a step; begin_step starts again
// at draw 0 of another step, so the numbers of step n do not depend on how the run got there.
struct Generator {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::uint32_t next_draw = 0;

  DrawKey next() { return {seed, step, next_draw++}; }
  void begin_step(std::uint32_t new_step) {
    step = new_step;
    next_draw = 0;
  }
};

struct Context {
  Device device = Device::cpu();
  CachingAllocator* allocator = &cpu_allocator();  // of host memory
  CachingAllocator* device_allocator = nullptr;    // of device memory; none: cuda_allocator()
  Stream* stream = nullptr;                        // of device work; none: compute_stream()
  Generator generator;
  int threads = 0;               // CPU threads a kernel may use; 0: all cores
  bool record_gradients = true;  // see autograd/var.h: NoGrad
  // Regions of kernels/parallel.h that more than one thread ran so far. Tests of determinism read
  // it: comparing numbers of threads says nothing about work that was never shared.
  std::int64_t shared_regions = 0;

  static Context& current();
};

// Restores the whole Context of this thread when it goes out of scope.
class ContextScope {
 public:
  ContextScope() : saved_(Context::current()) {}
  ~ContextScope() { Context::current() = saved_; }
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  Context saved_;
};

// Seeds the generator of this thread and starts it at step 0, draw 0.
void manual_seed(std::uint64_t seed);

// CPU threads a kernel may use; 0 means all cores. Results do not depend on it.
void set_num_threads(int threads);
int num_threads();

// Prints `message` on stderr the first time this process meets `key`.
void log_once(const std::string& key, const std::string& message);

}  // namespace imago
