#include "tensor/stream.h"

#include <cstdlib>
#include <string_view>

#include "tensor/context.h"
#include "tensor/device_memory.h"

namespace imago {

Stream& compute_stream() {
  // Never destroyed, as the allocator and static tensors use it to the end.
  static Stream& stream = *new Stream;
  return stream;
}

Stream& current_stream() {
  Stream* own = Context::current().stream;
  return own ? *own : compute_stream();
}

CachingAllocator& cuda_allocator() {
  const char* exact = std::getenv("IMAGO_EXACT_ALLOCATIONS");
  static CachingAllocator& allocator =
      *new CachingAllocator(cuda_memory(), exact && std::string_view(exact) == "1");
  return allocator;
}

}  // namespace imago
