#include "data/write_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "tensor/error.h"

namespace imago::data {
namespace {

namespace fs = std::filesystem;

// Returns 0 or the errno of the first failure. The descriptor is closed either way.
int write_and_close(int file, std::span<const std::byte> bytes, bool sync) {
  int problem = 0;
  while (!bytes.empty() && problem == 0) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else if (written == 0) {
      problem = ENOSPC;
    } else if (errno != EINTR) {
      problem = errno;
    }
  }
  // Some file systems report a full disk only here.
  if (problem == 0 && sync && ::fsync(file) != 0) problem = errno;
  if (::close(file) != 0 && problem == 0) problem = errno;
  return problem;
}

// A name nobody else uses: this process and a count within it.
fs::path temporary_beside(const fs::path& path) {
  static std::atomic<unsigned> count{0};
  return path.parent_path() / (".imago-" + std::to_string(::getpid()) + "-" +
                               std::to_string(count.fetch_add(1)) + ".tmp");
}

}  // namespace

void write_file(const char* op, const fs::path& path, std::span<const std::byte> bytes) {
  const auto give_up = [&](int problem) {
    fail(op, path.native(), ": cannot write ", bytes.size(), " bytes: ", std::strerror(problem));
  };
  std::error_code error;
  fs::path target = path;
  for (int links = 0; fs::is_symlink(target, error); ++links) {
    if (links == 40) give_up(ELOOP);
    const fs::path next = fs::read_symlink(target, error);
    if (error) give_up(error.value());
    target = target.parent_path() / next;  // an absolute link replaces the parent
  }
  const fs::file_status before = fs::status(target, error);
  if (fs::is_directory(before)) give_up(EISDIR);
  if (fs::exists(before) && !fs::is_regular_file(before)) {
    const int file = ::open(target.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) give_up(errno);
    if (const int problem = write_and_close(file, bytes, false)) give_up(problem);
    return;
  }

  const fs::path temporary = temporary_beside(target);
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) give_up(errno);
  int problem = write_and_close(file, bytes, true);
  if (problem == 0 && ::rename(temporary.c_str(), target.c_str()) != 0) problem = errno;
  if (problem != 0) {
    ::unlink(temporary.c_str());
    give_up(problem);
  }
}

}  // namespace imago::data
