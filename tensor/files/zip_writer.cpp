#include <zlib.h>

#include "tensor/files/zip.h"

namespace imago::files {
namespace {

constexpr std::uint16_t utf8_names = 1u << 11;
constexpr std::uint16_t plain_version = 20, wide_version = 45;
constexpr std::uint16_t date = 1u << 5 | 1u;  // 1980-01-01

// Little-endian numbers one after the other.
class Record {
 public:
  Record& u16(std::uint64_t value) { return put(value, 2); }
  Record& u32(std::uint64_t value) { return put(value, 4); }
  Record& u64(std::uint64_t value) { return put(value, 8); }
  Record& text(const std::string& value) {
    bytes_ += value;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Record& put(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xff);
    return *this;
  }
  std::string bytes_;
};

}  // namespace

void ZipWriter::write(const std::string& bytes) {
  file_.write(bytes.data(), bytes.size());
  position_ += bytes.size();
}

void ZipWriter::add(const std::string& name, std::span<const std::span<const std::byte>> parts) {
  ZipEntry entry{.name = name, .flags = utf8_names, .offset = position_};
  for (const auto& part : parts) {
    entry.size += part.size();
    const auto* bytes = reinterpret_cast<const Bytef*>(part.data());
    if (!part.empty()) {
      entry.crc = static_cast<std::uint32_t>(::crc32_z(entry.crc, bytes, part.size()));
    }
  }
  entry.compressed = entry.size;
  // In a member's own header both sizes are wide or neither.
  const bool is_wide = wide(entry.size);
  Record record;
  record.u32(0x04034b50).u16(is_wide ? wide_version : plain_version).u16(entry.flags);
  record.u16(0).u16(0).u16(date).u32(entry.crc);
  record.u32(is_wide ? narrow : entry.size).u32(is_wide ? narrow : entry.size);
  record.u16(name.size()).u16(is_wide ? 20 : 0).text(name);
  if (is_wide) record.u16(1).u16(16).u64(entry.size).u64(entry.size);
  write(record.bytes());
  for (const auto& part : parts) {
    if (part.empty()) continue;
    file_.write(part.data(), part.size());
    position_ += part.size();
  }
  entries_.push_back(std::move(entry));
}

void ZipWriter::finish() {
  const std::uint64_t begin = position_;
  for (const ZipEntry& entry : entries_) {
    Record extra;
    if (wide(entry.size)) extra.u64(entry.size).u64(entry.size);
    if (wide(entry.offset)) extra.u64(entry.offset);
    const std::size_t extra_size = extra.bytes().size();
    const auto version = extra_size ? wide_version : plain_version;
    const std::uint64_t size = wide(entry.size) ? narrow : entry.size;
    Record record;
    record.u32(0x02014b50).u16(version).u16(version).u16(entry.flags).u16(0).u16(0).u16(date);
    record.u32(entry.crc).u32(size).u32(size).u16(entry.name.size());
    record.u16(extra_size ? extra_size + 4 : 0).u16(0).u16(0).u16(0).u32(0);
    record.u32(wide(entry.offset) ? narrow : entry.offset).text(entry.name);
    if (extra_size) record.u16(1).u16(extra_size).text(extra.bytes());
    write(record.bytes());
  }
  const std::uint64_t end = position_, count = entries_.size();
  const bool is_wide = wide(begin) || wide(end - begin) || count >= 0xffff;
  Record record;
  if (is_wide) {
    record.u32(0x06064b50).u64(44).u16(wide_version).u16(wide_version).u32(0).u32(0);
    record.u64(count).u64(count).u64(end - begin).u64(begin);
    record.u32(0x07064b50).u32(0).u64(end).u32(1);
  }
  record.u32(0x06054b50).u16(0).u16(0).u16(is_wide ? 0xffff : count).u16(is_wide ? 0xffff : count);
  record.u32(is_wide ? narrow : end - begin).u32(is_wide ? narrow : begin).u16(0);
  write(record.bytes());
}

}  // namespace imago::files
