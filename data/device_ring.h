// Batches of a loader on a device, copied there ahead of time.
//
// On a CUDA device a batch goes through page-locked memory and a copy stream of its own, so that
// its copy runs beside the kernels of the step before; a fixed ring of buffers is used over and
// over. On the CPU batches are the loader's own.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "data/loader.h"
#include "tensor/device.h"
#include "tensor/device_memory.h"
#include "tensor/stream.h"

namespace imago::data {

// For one consumer thread, which must use the same current_stream() throughout.
class DeviceRing {
 public:
  // Takes batches from `loader`, which must outlive the ring, from its position on.
  DeviceRing(Loader& loader, Device device);
  ~DeviceRing();
  DeviceRing(const DeviceRing&) = delete;
  DeviceRing& operator=(const DeviceRing&) = delete;

  // The next batch, u8 (B, S, S, C), for work in current_stream(). On a CUDA device its memory is
  // overwritten after the call of next() that follows, in stream order: put the work on it into
  // the stream before. Throws what Loader::next throws.
  Tensor next();

  // Starts to copy the batch that next() will return, if the loader has it ready and if it is among
  // the first `last` batches of the ring. Never waits for the loader nor throws its errors early.
  void prefetch(std::int64_t last);

 private:
  struct Slot {
    std::unique_ptr<PinnedBuffer> host;
    Tensor device;
    Event arrived, used;
  };
  struct Copies {
    Stream stream;
    std::array<Slot, 2> slots;
  };

  void copy_next();

  Loader& loader_;
  Device device_;
  std::unique_ptr<Copies> copies_;  // none on the CPU
  std::int64_t delivered_ = 0;      // batches that next() returned
  std::int64_t copied_ = 0;         // batches whose copy was started: delivered_ or one more
};

}  // namespace imago::data
