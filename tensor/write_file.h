// Writing a file so that it appears whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace imago {

// The new contents of a file, which take its place at commit() and vanish without it. They are
// written under a temporary name beside `path`, synced and renamed. A symbolic link is followed; a
// path that exists and is no regular file (a pipe, /dev/stdout) is written to directly.
// Failures throw Error "[op] path: cannot write: reason; what to do"; what was at `path` before is
// untouched then.
class FileReplacement {
 public:
  FileReplacement(const char* op, const std::filesystem::path& path);
  ~FileReplacement();
  FileReplacement(const FileReplacement&) = delete;
  FileReplacement& operator=(const FileReplacement&) = delete;

  void write(const void* data, std::size_t bytes);
  void commit();

 private:
  [[noreturn]] void give_up(int error) const;

  const char* op_;
  std::filesystem::path path_, target_, temporary_;  // temporary_ is empty when writing directly
  int file_ = -1;
};

// All of it at once.
void write_file(const char* op, const std::filesystem::path& path,
                std::span<const std::byte> bytes);

}  // namespace imago
