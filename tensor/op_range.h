// Marks that an operation runs on this thread. Every public operation opens one: profilers see a
// named range (NVTX, for operations on a CUDA device), and messages can say which operation asked
// for memory.
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

  // The innermost operation of this thread, or nullptr.
  static const char* current();

 private:
  const char* outer_;
  bool on_device_;
};

}  // namespace imago
