// Bytes that come one after the other: from a file, or out of a compressed part of one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace imago::files {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // How many are left; never more than can really follow, so memory may be reserved for them.
  virtual std::uint64_t remaining() const = 0;
  // The next `bytes`, at most remaining(). Throws Error naming the file.
  virtual void read(void* data, std::size_t bytes) = 0;
  // Call after the last byte: throws if what was read is not what was written, where the file says.
  virtual void finish() {}
};

}  // namespace imago::files
