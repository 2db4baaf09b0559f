// Zip archives, as far as .npz files need them: members that are stored or deflated, of any size.
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT is the format.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tensor/files/byte_source.h"
#include "tensor/files/read_file.h"
#include "tensor/write_file.h"

namespace imago::files {

struct ZipEntry {
  std::string name;
  std::uint16_t flags = 0, method = 0;
  std::uint32_t crc = 0;
  std::uint64_t compressed = 0, size = 0;  // bytes in the archive, and of the contents
  std::uint64_t offset = 0;                // of the member's own header
};

// The directory of an archive, checked: throws "[op] path: ..." when it is none, is cut short, in
// several parts, or names a member twice. The file must outlive this.
class ZipReader {
 public:
  explicit ZipReader(const ReadFile& file);
  const std::vector<ZipEntry>& entries() const { return entries_; }
  // The contents of a member. Its finish() compares the checksum. Throws when the member is
  // encrypted or compressed in another way than by deflate.
  std::unique_ptr<ByteSource> open(const ZipEntry& entry) const;

 private:
  template <class... Parts>
  [[noreturn]] void damaged(const Parts&... parts) const;
  void read_at(std::uint64_t offset, void* data, std::size_t bytes) const;
  // "x.npz: member 'name'"
  std::string where(const ZipEntry& entry) const;
  void read_directory(std::uint64_t begin, std::uint64_t bytes, std::uint64_t count);
  void read_wide_fields(ZipEntry& entry, std::span<const char> extra) const;

  const ReadFile& file_;
  std::uint64_t directory_ = 0;  // where it begins: members lie before it
  std::vector<ZipEntry> entries_;
};

// Writes an archive of stored members, all dated 1980-01-01: equal contents give equal bytes.
class ZipWriter {
 public:
  static constexpr std::uint64_t narrow = 0xffffffff;

  // From `wide_from` on, sizes and offsets are written in 64 bits; tests take a small number.
  explicit ZipWriter(FileReplacement& file, std::uint64_t wide_from = narrow)
      : file_(file), wide_from_(wide_from) {}
  // A member whose contents are the parts one after the other.
  void add(const std::string& name, std::span<const std::span<const std::byte>> parts);
  // The directory; call once, last.
  void finish();

 private:
  void write(const std::string& bytes);
  bool wide(std::uint64_t value) const { return value >= wide_from_; }

  FileReplacement& file_;
  std::uint64_t wide_from_;
  std::uint64_t position_ = 0;
  std::vector<ZipEntry> entries_;
};

}  // namespace imago::files
