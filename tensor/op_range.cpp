#include "tensor/op_range.h"

#include "tensor/backend.h"
#include "tensor/observer.h"

namespace imago {
namespace {

thread_local const char* current_op = nullptr;

}  // namespace

OpRange::OpRange(const char* op, Device device)
    : op_(op), outer_(current_op), device_(device), told_(Observer::current()) {
  require_device(op, device);
  current_op = op;
  if (device.is_cuda()) backend::push_range(op);
  if (told_) Observer::tell([&](Observer& o) { o.op_begins(op, device); });
}

OpRange::~OpRange() {
  if (told_) Observer::tell([&](Observer& o) { o.op_ends(op_, device_); });
  if (device_.is_cuda()) backend::pop_range();
  current_op = outer_;
}

void OpRange::states_flops(double flops) const {
  if (told_) Observer::tell([&](Observer& o) { o.op_states_flops(flops); });
}

const char* OpRange::current() {
  return current_op;
}

}  // namespace imago
