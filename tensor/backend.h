// What tensor/ asks of the device behind Device::cuda(), beside stream.h and device_memory.h. One
// folder implements all three: tensor/cuda, tensor/emulated or tensor/no_cuda.
#pragma once

#include <string>

namespace imago::backend {

// Whether the device is the emulator.
extern const bool emulated;

// Why tensors cannot live on the device; empty when they can. Asked once, then remembered.
const std::string& why_no_device();

// "NVIDIA H200, 139.8 GiB"; the device must be usable.
std::string device_name();
// "CUDA driver 12.8, runtime 12.4": what the driver takes at most and what this was built with.
std::string driver_versions();

// What a captured copy from other than page-locked memory is told.
inline constexpr const char* capture_needs_pinned =
    "host memory cannot be captured into a graph, which would read it again at each replay; use a "
    "PinnedBuffer, or copy before the capture";

// Opens and closes a named range for profilers on the thread; the device must be usable.
void push_range(const char* name);
void pop_range();

}  // namespace imago::backend
