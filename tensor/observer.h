// Observer: who wants to know what runs on this thread. Profilers, anomaly mode and summaries
// derive from it; operations, tensors, layers and the backward pass tell every Observer that lives
// on their thread. Where none lives that costs one branch.
//
// Work that an operation spreads over other threads is not told again there: events come from the
// thread that called the operation. Loader workers tell nothing.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "tensor/device.h"

namespace imago {

class Tensor;

class Observer {
 public:
  // Observes this thread until it is destroyed, there; the last one made goes first.
  Observer();
  virtual ~Observer();
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  // The newest Observer of this thread; nullptr where none lives, and while one is being told, so
  // that what it computes is not told.
  static Observer* current() { return current_; }

  // Tells every Observer of this thread, the oldest first: f(observer).
  template <class F>
  static void tell(F&& f) {
    if (!current_) return;
    const Muted muted;
    for (Observer* o = muted.oldest; o; o = o->inner_) f(*o);
  }

  // A kernel operation (OpRange) begins and ends; within, it may state its arithmetic. Operations
  // may be made of others, which begin and end inside.
  virtual void op_begins(const char* /*op*/, Device /*device*/) {}
  virtual void op_states_flops(double /*flops*/) {}
  virtual void op_ends(const char* /*op*/, Device /*device*/) {}

  // A tensor got memory at this address, and gave it back; the elements of a tensor were taken, for
  // writing or not.
  virtual void memory_made(const void* /*address*/) {}
  virtual void memory_freed(const void* /*address*/) {}
  virtual void memory_used(const void* /*address*/, std::size_t /*bytes*/, bool /*written*/) {}

  // A layer begins and ends (LayerScope); the path is LayerScope::path(). The name is the very
  // string that the scope was given: its address says which layer it is.
  virtual void layer_begins(const std::string& /*name*/) {}
  virtual void layer_ends() {}

  // The engine runs the backward of an operation, whose forward ran in the layer of LayerScope.
  virtual void backward_begins(const char* /*op*/) {}
  virtual void backward_ends() {}

  // A differentiable operation took these inputs (undefined ones are left out), made this result,
  // keeps this value for its backward. `op` is nullptr where the operation was not recorded.
  virtual void value_inputs(std::span<const Tensor> /*inputs*/) {}
  virtual void value_made(const char* /*op*/, const Tensor& /*result*/) {}
  virtual void value_kept(const Tensor& /*value*/) {}

 private:
  struct Muted {
    Muted();
    ~Muted();
    Muted(const Muted&) = delete;
    Muted& operator=(const Muted&) = delete;

    Observer* newest;
    Observer* oldest;
  };

  static constinit thread_local Observer* current_;

  Observer* outer_;
  Observer* inner_ = nullptr;
};

}  // namespace imago
