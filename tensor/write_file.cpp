#include "tensor/write_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "tensor/error.h"

namespace imago {
namespace {

namespace fs = std::filesystem;

const char* advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "; free some space or choose another disk";
    case EFBIG:
      return "; the file is larger than allowed here (see ulimit -f)";
    case ENOENT:
    case ENOTDIR:
      return "; does the folder exist?";
    case EISDIR:
      return "; give the name of a file";
    case EACCES:
    case EPERM:
    case EROFS:
      return "; is writing allowed there?";
    default:
      return "";
  }
}

// A name nobody else uses: this process and a count within it.
fs::path temporary_beside(const fs::path& path) {
  static std::atomic<unsigned> count{0};
  return path.parent_path() / (".imago-" + std::to_string(::getpid()) + "-" +
                               std::to_string(count.fetch_add(1)) + ".tmp");
}

}  // namespace

FileReplacement::FileReplacement(const char* op, const fs::path& path)
    : op_(op), path_(path), target_(path) {
  std::error_code error;
  for (int links = 0; fs::is_symlink(target_, error); ++links) {
    if (links == 40) give_up(ELOOP);
    const fs::path next = fs::read_symlink(target_, error);
    if (error) give_up(error.value());
    target_ = target_.parent_path() / next;  // an absolute link replaces the parent
  }
  const fs::file_status before = fs::status(target_, error);
  if (fs::is_directory(before)) give_up(EISDIR);
  if (fs::exists(before) && !fs::is_regular_file(before)) {
    file_ = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    // A killed program leaves its file behind, and in a container the next one has the same number.
    for (int attempt = 0; file_ < 0 && attempt < 1000; ++attempt) {
      temporary_ = temporary_beside(target_);
      file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (file_ < 0 && errno != EEXIST) break;
    }
  }
  if (file_ < 0) give_up(errno);
}

FileReplacement::~FileReplacement() {
  if (file_ < 0) return;  // committed
  ::close(file_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void FileReplacement::write(const void* data, std::size_t bytes) {
  const auto* p = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t written = ::write(file_, p, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) give_up(written < 0 ? errno : ENOSPC);
    p += written;
    bytes -= static_cast<std::size_t>(written);
  }
}

void FileReplacement::commit() {
  const bool direct = temporary_.empty();
  // Some file systems report a full disk only when syncing or closing.
  if (!direct && ::fsync(file_) != 0) give_up(errno);
  const bool closed = ::close(std::exchange(file_, -1)) == 0;
  int error = closed ? 0 : errno;
  if (error == 0 && !direct && ::rename(temporary_.c_str(), target_.c_str()) != 0) error = errno;
  if (error != 0) {
    if (!direct) ::unlink(temporary_.c_str());
    give_up(error);
  }
  // The rename itself lasts only once its folder is on the disk. Not every file system can sync a
  // folder, and the data is safe either way.
  const fs::path parent = target_.parent_path();
  const int folder = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
}

void FileReplacement::give_up(int error) const {
  fail(op_, path_.native(), ": cannot write: ", std::strerror(error), advice(error),
       "; an earlier file of that name is unchanged");
}

void write_file(const char* op, const fs::path& path, std::span<const std::byte> bytes) {
  FileReplacement file(op, path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

}  // namespace imago
