#include "data/device_ring.h"

#include <cstring>

namespace imago::data {

DeviceRing::DeviceRing(Loader& loader, Device device) : loader_(loader), device_(device) {
  require_device("faces", device);
  if (device.is_cuda()) copies_ = std::make_unique<Copies>();
}

DeviceRing::~DeviceRing() {
  if (!copies_) return;
  // The device tensors may go only when no copy writes to them any more; an error in a copy was or
  // will be thrown to whoever waits for the batch.
  try {
    copies_->stream.synchronize();
  } catch (const std::exception&) {
  }
}

Tensor DeviceRing::next() {
  if (!copies_) return loader_.next();
  if (delivered_ > 0) {
    // All work on the batch before is in the stream by now.
    auto& before = copies_->slots[static_cast<std::size_t>((delivered_ - 1) % 2)];
    before.used.record(current_stream());
  }
  if (copied_ == delivered_) copy_next();
  Slot& slot = copies_->slots[static_cast<std::size_t>(delivered_++ % 2)];
  current_stream().wait(slot.arrived);
  return slot.device;
}

void DeviceRing::prefetch(std::int64_t last) {
  if (copies_ && copied_ == delivered_ && copied_ < last && loader_.ready()) copy_next();
}

void DeviceRing::copy_next() {
  const Tensor batch = loader_.next();
  Slot& slot = copies_->slots[static_cast<std::size_t>(copied_ % 2)];
  if (!slot.host) {
    slot.host = std::make_unique<PinnedBuffer>(batch.nbytes());
    slot.device = Tensor::empty(batch.shape(), batch.dtype(), device_);
    slot.used.record(current_stream());  // the memory may have had another owner
  }
  slot.arrived.synchronize();  // the copy that reads this buffer; two batches ago
  std::memcpy(slot.host->data(), batch.bytes(), batch.nbytes());
  copies_->stream.wait(slot.used);
  copy_to_device(slot.device.mutable_device_bytes(), slot.host->data(), batch.nbytes(),
                 copies_->stream);
  slot.arrived.record(copies_->stream);
  ++copied_;
}

}  // namespace imago::data
