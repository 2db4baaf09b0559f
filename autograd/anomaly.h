// Anomaly mode: which operation, in which layer, first made a NaN or an infinity.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/observer.h"
#include "tensor/tensor.h"

namespace imago {

// While one lives, every differentiable operation of this thread has its result looked at, in the
// forward and in the backward pass. The first one that is not finite throws Error, which says
//   - the operation and the layer (the path of modules, such as D.layers.3);
//   - in the backward pass, the operation whose gradient was computed, and the layer in which its
//     forward ran, when that was recorded while an Observer (this, a profiler) lived;
//   - how many elements are NaN or infinite and where the first is;
//   - the inputs: their ranges or, where one was not finite already, that it came from elsewhere
//     (data, weights after a step, an operation before the scope).
//
//   {
//     const AnomalyScope anomalies;
//     loss::gan_d(D(real), D(fake)).backward();
//   }
//
// Slow: each result is read once more, and on a CUDA device copied to the host, which waits for the
// device after every operation. It says so once on stderr. It cannot live during graph capture.
// Optimisers and running statistics are not differentiable operations: what they spoil is found by
// the operation that reads it next, as an input that was not finite.
class AnomalyScope final : public Observer {
 public:
  AnomalyScope() = default;

  void op_begins(const char* op, Device device) override;
  void op_ends(const char* op, Device device) override;
  void backward_begins(const char* op) override;
  void backward_ends() override;
  void value_inputs(std::span<const Tensor> inputs) override;
  void value_made(const char* op, const Tensor& result) override;

 private:
  struct Backward {
    const char* op;
    std::string layer;
  };

  const char* last_op_ = nullptr;  // the kernel that ran since the last result
  int depth_ = 0;                  // of kernels that are made of others
  std::vector<Tensor> inputs_;     // of the operation at hand
  std::vector<Backward> backward_;
};

// What is in a tensor, as far as finiteness goes.
struct Finiteness {
  std::int64_t nan = 0, infinite = 0;
  std::int64_t first = -1;           // index of the first element that is one of them
  double smallest = 0, largest = 0;  // of the finite elements; both 0 where there are none

  bool all_finite() const { return nan == 0 && infinite == 0; }
};

// Of any dtype and device; integers are finite. Reads the tensor back from a device.
Finiteness finiteness_of(const Tensor& t);

}  // namespace imago
