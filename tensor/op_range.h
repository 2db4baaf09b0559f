// Marks that an operation runs on this thread. Every public operation opens one: profilers see a
// named range (observers of this thread, tensor/observer.h; NVTX for operations on a CUDA device),
// and messages can say which operation asked for memory.
#pragma once

#include "tensor/device.h"

namespace imago {

class OpRange {
 public:
  // `op` must outlive the range: a string literal. Throws as require_device does.
  OpRange(const char* op, Device device);
  ~OpRange();
  OpRange(const OpRange&) = delete;
  OpRange& operator=(const OpRange&) = delete;

  // States the floating-point operations of this one, for those who compare them with its time: a
  // multiply and an add are two. Operations limited by memory need not: the bytes they touch are
  // seen without.
  void states_flops(double flops) const;

  // The innermost operation of this thread, or nullptr.
  static const char* current();

 private:
  const char* op_;
  const char* outer_;
  Device device_;
  bool told_;
};

}  // namespace imago
