// What an allocator holds, for people.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tensor/allocator.h"

namespace imago {

// As a table: bytes live, cached and at the peak, how many requests the cache served, and the
// `largest` groups of live blocks that share a label (shape, dtype and the operation that asked);
// and the same of the peak, where CachingAllocator::watch_peak(true) was on when it was reached.
//   cpu: 52.1 MiB live in 61 blocks, 210.4 MiB cached, 262.0 MiB at the peak; 98.7% of 41210 ...
//        12.5 MiB  2 x (128, 32, 32, 64) f32 of conv2d
std::string allocator_report(const CachingAllocator& allocator, std::size_t largest = 10);

}  // namespace imago
