#include "tensor/op_range.h"

#include "tensor/backend.h"

namespace imago {
namespace {

thread_local const char* current_op = nullptr;

}  // namespace

OpRange::OpRange(const char* op, Device device) : outer_(current_op), on_device_(device.is_cuda()) {
  require_device(op, device);
  current_op = op;
  if (on_device_) backend::push_range(op);
}

OpRange::~OpRange() {
  if (on_device_) backend::pop_range();
  current_op = outer_;
}

const char* OpRange::current() {
  return current_op;
}

}  // namespace imago
