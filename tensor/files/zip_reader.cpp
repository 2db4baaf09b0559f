#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <set>

#include "tensor/error.h"
#include "tensor/files/zip.h"

namespace imago::files {
namespace {

constexpr std::size_t local_bytes = 30, central_bytes = 46, end_bytes = 22;
constexpr std::size_t wide_locator_bytes = 20, wide_end_bytes = 56;
constexpr std::uint32_t local_mark = 0x04034b50, central_mark = 0x02014b50, end_mark = 0x06054b50;
constexpr std::uint32_t wide_locator_mark = 0x07064b50, wide_end_mark = 0x06064b50;
constexpr std::uint32_t in_extra = 0xffffffff;  // the field is in 64 bits elsewhere
constexpr std::uint16_t stored = 0, deflated = 8;

template <class T>
T number(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// Passes on the bytes of a member and sums them.
class Member : public ByteSource {
 public:
  Member(const char* op, std::string where, const ReadFile& file, std::uint64_t offset,
         const ZipEntry& entry)
      : op_(op),
        where_(std::move(where)),
        raw_(file, offset, entry.compressed),
        left_(entry.size),
        expected_(entry.crc) {}
  std::uint64_t remaining() const override { return left_; }
  void read(void* data, std::size_t bytes) override {
    take(data, bytes);
    left_ -= bytes;
    crc_ = static_cast<std::uint32_t>(::crc32_z(crc_, static_cast<const Bytef*>(data), bytes));
  }
  void finish() override {
    if (crc_ != expected_) damaged("its checksum is wrong");
  }

 protected:
  virtual void take(void* data, std::size_t bytes) { raw_.read(data, bytes); }
  [[noreturn]] void damaged(const char* how) const {
    fail(op_, where_, ": ", how, ": the archive is damaged; copy or save it again");
  }

  const char* op_;
  std::string where_;
  FileRange raw_;

 private:
  std::uint64_t left_;
  std::uint32_t crc_ = 0, expected_;
};

class Inflated final : public Member {
 public:
  Inflated(const char* op, std::string where, const ReadFile& file, std::uint64_t offset,
           const ZipEntry& entry)
      : Member(op, std::move(where), file, offset, entry) {
    // Negative: without the header and checksum of zlib's own format.
    check(::inflateInit2(&stream_, -MAX_WBITS) == Z_OK, op, "zlib cannot start");
  }
  ~Inflated() override { ::inflateEnd(&stream_); }
  void finish() override {
    // The end of the compressed data must come now, after at most a few bits that give nothing.
    const auto unread = [&] { return raw_.remaining() + stream_.avail_in; };
    char none = 0;
    for (std::uint64_t before = unread() + 1; !ended_ && unread() < before;) {
      before = unread();
      step(&none, 0);
    }
    if (!ended_ || unread() != 0) damaged("it holds more than its size says");
    Member::finish();
  }

 protected:
  void take(void* data, std::size_t bytes) override {
    auto* p = static_cast<char*>(data);
    while (bytes > 0) {
      const auto want =
          static_cast<uInt>(std::min<std::size_t>(bytes, std::numeric_limits<uInt>::max() / 2));
      const uInt got = step(p, want);
      p += got;
      bytes -= got;
    }
  }

 private:
  // Up to `want` more bytes; how many there were.
  uInt step(char* data, uInt want) {
    if (stream_.avail_in == 0) {
      const auto bytes =
          static_cast<std::size_t>(std::min<std::uint64_t>(raw_.remaining(), buffer_.size()));
      raw_.read(buffer_.data(), bytes);
      stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
      stream_.avail_in = static_cast<uInt>(bytes);
    }
    stream_.next_out = reinterpret_cast<Bytef*>(data);
    stream_.avail_out = want;
    const uInt before = stream_.avail_in;
    const int status = ::inflate(&stream_, Z_NO_FLUSH);
    const uInt got = want - stream_.avail_out;
    ended_ = status == Z_STREAM_END;
    if (status != Z_OK && status != Z_BUF_ERROR && !ended_) damaged("it cannot be decompressed");
    const bool progress = got > 0 || stream_.avail_in < before;
    if (want > got && (ended_ || !progress)) damaged("it holds less than its size says");
    return got;
  }

  z_stream stream_{};
  std::array<char, 65536> buffer_;
  bool ended_ = false;
};

}  // namespace

template <class... Parts>
void ZipReader::damaged(const Parts&... parts) const {
  fail(file_.op(), file_.path().native(), ": ", parts...,
       "; the file was cut short, is damaged or is no .npz archive: copy or save it again");
}

void ZipReader::read_at(std::uint64_t offset, void* data, std::size_t bytes) const {
  if (offset > file_.size() || bytes > file_.size() - offset) {
    damaged("the directory of the archive points beyond its end");
  }
  file_.read_at(offset, data, bytes);
}

std::string ZipReader::where(const ZipEntry& entry) const {
  return file_.path().native() + ": member '" + entry.name + "'";
}

ZipReader::ZipReader(const ReadFile& file) : file_(file) {
  // The end record is last but for a comment of up to 65535 bytes.
  const auto tail =
      static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), end_bytes + 65535));
  std::string last(tail, '\0');
  file.read_at(file.size() - tail, last.data(), tail);
  std::size_t at = std::string::npos;
  for (std::size_t i = tail < end_bytes ? 0 : tail - end_bytes + 1; i-- > 0;) {
    if (number<std::uint32_t>(&last[i]) != end_mark) continue;
    if (number<std::uint16_t>(&last[i + 20]) != tail - i - end_bytes) continue;
    at = i;
    break;
  }
  if (at == std::string::npos) {
    damaged("the directory that ends every archive is missing",
            last.starts_with("\x93NUMPY") ? " (it is a single array: use load_npy)" : "");
  }
  const char* end = &last[at];
  std::uint64_t count = number<std::uint16_t>(end + 10);
  std::uint64_t bytes = number<std::uint32_t>(end + 12);
  std::uint64_t begin = number<std::uint32_t>(end + 16);
  const std::uint64_t end_at = file.size() - tail + at;
  bool parts = number<std::uint16_t>(end + 4) != 0 || number<std::uint16_t>(end + 6) != 0;
  if (count == 0xffff || bytes == in_extra || begin == in_extra) {
    char locator[wide_locator_bytes], wide[wide_end_bytes];
    if (end_at < sizeof locator) damaged("the directory is missing");
    read_at(end_at - sizeof locator, locator, sizeof locator);
    if (number<std::uint32_t>(locator) == wide_locator_mark) {
      read_at(number<std::uint64_t>(locator + 8), wide, sizeof wide);
      if (number<std::uint32_t>(wide) != wide_end_mark) damaged("the directory is missing");
      parts = number<std::uint32_t>(wide + 16) != 0 || number<std::uint32_t>(wide + 20) != 0;
      count = number<std::uint64_t>(wide + 32);
      bytes = number<std::uint64_t>(wide + 40);
      begin = number<std::uint64_t>(wide + 48);
    }
  }
  if (parts) fail(file.op(), file.path().native(), ": is one part of several; join them first");
  if (begin > end_at || bytes > end_at - begin) {
    damaged("the directory of the archive points beyond its end");
  }
  read_directory(begin, bytes, count);
}

void ZipReader::read_directory(std::uint64_t begin, std::uint64_t bytes, std::uint64_t count) {
  directory_ = begin;
  std::string directory(static_cast<std::size_t>(bytes), '\0');
  file_.read_at(begin, directory.data(), directory.size());
  std::set<std::string> names;
  std::span<const char> rest(directory);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (rest.size() < central_bytes || number<std::uint32_t>(rest.data()) != central_mark) {
      damaged("the directory says ", count, " members but describes ", i);
    }
    const char* p = rest.data();
    const std::size_t name = number<std::uint16_t>(p + 28), extra = number<std::uint16_t>(p + 30);
    const std::size_t all = central_bytes + name + extra + number<std::uint16_t>(p + 32);
    if (rest.size() < all) damaged("the directory breaks off in member ", i + 1);
    ZipEntry entry{.name = std::string(p + central_bytes, name),
                   .flags = number<std::uint16_t>(p + 8),
                   .method = number<std::uint16_t>(p + 10),
                   .crc = number<std::uint32_t>(p + 16),
                   .compressed = number<std::uint32_t>(p + 20),
                   .size = number<std::uint32_t>(p + 24),
                   .offset = number<std::uint32_t>(p + 42)};
    read_wide_fields(entry, rest.subspan(central_bytes + name, extra));
    if (!names.insert(entry.name).second) damaged("the name '", entry.name, "' is there twice");
    entries_.push_back(std::move(entry));
    rest = rest.subspan(all);
  }
  if (!rest.empty()) damaged("bytes follow the ", count, " members of the directory");
}

// Fields that do not fit in 32 bits stand in the extra field with number 1, in this order.
void ZipReader::read_wide_fields(ZipEntry& entry, std::span<const char> extra) const {
  while (extra.size() >= 4) {
    const auto kind = number<std::uint16_t>(extra.data());
    const std::size_t bytes = number<std::uint16_t>(extra.data() + 2);
    if (bytes > extra.size() - 4) break;
    std::span<const char> field = extra.subspan(4, bytes);
    extra = extra.subspan(4 + bytes);
    if (kind != 1) continue;
    for (std::uint64_t* value : {&entry.size, &entry.compressed, &entry.offset}) {
      if (*value != in_extra) continue;
      if (field.size() < 8) damaged("member '", entry.name, "' has no size");
      *value = number<std::uint64_t>(field.data());
      field = field.subspan(8);
    }
  }
}

std::unique_ptr<ByteSource> ZipReader::open(const ZipEntry& entry) const {
  const auto refuse = [&](const auto&... why) { fail(file_.op(), where(entry), " ", why...); };
  const char* again = ": save it again with numpy.savez";
  if (entry.flags & 1u) refuse("is encrypted", again);
  if (entry.method != stored && entry.method != deflated) {
    refuse("is compressed by method ", entry.method, ", not by deflate", again);
  }
  char local[local_bytes];
  read_at(entry.offset, local, sizeof local);
  if (number<std::uint32_t>(local) != local_mark)
    damaged(where(entry), " is not where it should be");
  const std::uint64_t data = entry.offset + local_bytes + number<std::uint16_t>(local + 26) +
                             number<std::uint16_t>(local + 28);
  if (data > directory_ || entry.compressed > directory_ - data) {
    damaged(where(entry), " is longer than the archive");
  }
  // Deflate makes at most 258 bytes of two bits, so a larger claim is false.
  const bool possible = entry.method == stored ? entry.size == entry.compressed
                                               : entry.size / 1032 <= entry.compressed;
  if (!possible) damaged(where(entry), " claims ", entry.size, " bytes, which it cannot hold");
  if (entry.method == stored) {
    return std::make_unique<Member>(file_.op(), where(entry), file_, data, entry);
  }
  return std::make_unique<Inflated>(file_.op(), where(entry), file_, data, entry);
}

}  // namespace imago::files
