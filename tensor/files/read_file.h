// Reading a file at any place, with errors that name it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "tensor/files/byte_source.h"

namespace imago::files {

// A regular file, open for reading. Errors are "[op] path: ...".
class ReadFile {
 public:
  ReadFile(const char* op, const std::filesystem::path& path);
  ~ReadFile();
  ReadFile(const ReadFile&) = delete;
  ReadFile& operator=(const ReadFile&) = delete;

  const char* op() const { return op_; }
  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  // Throws when the file has become shorter than it was at the start.
  void read_at(std::uint64_t offset, void* data, std::size_t bytes) const;

 private:
  const char* op_;
  std::filesystem::path path_;
  int file_ = -1;
  std::uint64_t size_ = 0;
};

// `size` bytes of a file from `offset`, which are within it. The file must outlive this.
class FileRange final : public ByteSource {
 public:
  FileRange(const ReadFile& file, std::uint64_t offset, std::uint64_t size)
      : file_(file), next_(offset), left_(size) {}
  std::uint64_t remaining() const override { return left_; }
  void read(void* data, std::size_t bytes) override {
    file_.read_at(next_, data, bytes);
    next_ += bytes;
    left_ -= bytes;
  }

 private:
  const ReadFile& file_;
  std::uint64_t next_, left_;
};

}  // namespace imago::files
