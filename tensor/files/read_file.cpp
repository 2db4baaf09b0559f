#include "tensor/files/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tensor/error.h"

namespace imago::files {

// O_NONBLOCK: opening a named pipe must not wait for a writer; it has no effect on files.
ReadFile::ReadFile(const char* op, const std::filesystem::path& path)
    : op_(op), path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (file_ < 0) {
    fail(op, "cannot open ", path.native(), ": ", std::strerror(errno),
         errno == ENOENT ? "; is the name right?" : "");
  }
  struct stat info = {};
  const bool known = ::fstat(file_, &info) == 0;
  if (!known || !S_ISREG(info.st_mode)) {
    ::close(file_);
    fail(op, path.native(), known ? " is not a file" : " cannot be examined");
  }
  size_ = static_cast<std::uint64_t>(info.st_size);
}

ReadFile::~ReadFile() {
  ::close(file_);
}

void ReadFile::read_at(std::uint64_t offset, void* data, std::size_t bytes) const {
  auto* p = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t got = ::pread(file_, p, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(op_, "cannot read ", path_.native(), ": ", std::strerror(errno));
    check(got > 0, op_, path_.native(), " became shorter while it was read");
    p += got;
    offset += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::size_t>(got);
  }
}

}  // namespace imago::files
