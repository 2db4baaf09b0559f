#include "nn/safetensors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "nn/safetensors_header.h"

namespace imago {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little,
              "tensors are stored as they are in memory");

constexpr std::size_t length_bytes = 8;

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  // close() may be the first to report that a write failed.
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

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
    case EACCES:
    case EPERM:
    case EROFS:
      return "; is writing allowed there?";
    default:
      return "";
  }
}

[[noreturn]] void fail_write(const fs::path& path, const char* doing, int error) {
  fail("save_safetensors", "cannot ", doing, ' ', path.string(), ": ", std::strerror(error),
       advice(error), "; an earlier file of that name is unchanged");
}

// The new contents of a file, which take its place at commit() and vanish without it.
class Replacement {
 public:
  explicit Replacement(const fs::path& target) : target_(target), file_(create()) {}
  ~Replacement() {
    if (!committed_) ::unlink(temporary_.c_str());
  }
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  void write(const void* data, std::size_t bytes) {
    const auto* p = static_cast<const char*>(data);
    while (bytes > 0) {
      const ssize_t written = ::write(file_.get(), p, bytes);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail_write(target_, "write", errno);
      p += written;
      bytes -= static_cast<std::size_t>(written);
    }
  }

  void commit() {
    if (::fsync(file_.get()) != 0) fail_write(target_, "write", errno);
    if (!file_.close()) fail_write(target_, "write", errno);
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail_write(target_, "replace", errno);
    committed_ = true;
    // The rename itself lasts only once its folder is on the disk. Not every file system can sync a
    // folder, and the data is safe either way.
    const fs::path parent = target_.parent_path();
    const Descriptor folder(::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY));
    if (folder) ::fsync(folder.get());
  }

 private:
  // A name nobody uses, so that two programs saving at once do not mix their bytes.
  int create() {
    for (int attempt = 0; attempt < 1000; ++attempt) {
      temporary_ = target_;
      temporary_ += ".partial-" + std::to_string(::getpid()) + "-" + std::to_string(attempt);
      const int fd = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (fd >= 0) return fd;
      if (errno != EEXIST) fail_write(target_, "create", errno);
    }
    fail_write(target_, "create", EEXIST);
  }

  fs::path target_;
  fs::path temporary_;
  bool committed_ = false;
  Descriptor file_;
};

void read_exactly(const Descriptor& file, void* data, std::size_t bytes, const fs::path& path) {
  auto* p = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t got = ::read(file.get(), p, bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      fail("load_safetensors", "cannot read ", path.string(), ": ", std::strerror(errno));
    check(got > 0, "load_safetensors", path.string(), " became shorter while it was read");
    p += got;
    bytes -= static_cast<std::size_t>(got);
  }
}

std::uint64_t open_size(const Descriptor& file, const fs::path& path) {
  if (!file) {
    fail("load_safetensors", "cannot open ", path.string(), ": ", std::strerror(errno),
         errno == ENOENT ? "; is the name right?" : "");
  }
  struct stat info = {};
  check(::fstat(file.get(), &info) == 0, "load_safetensors", "cannot examine ", path.string());
  check(S_ISREG(info.st_mode), "load_safetensors", path.string(), " is not a file");
  return static_cast<std::uint64_t>(info.st_size);
}

}  // namespace

NamedTensors SafetensorsFile::group(const std::string& prefix) const {
  NamedTensors found = entries_under(tensors, prefix);
  check(!found.empty(), "load_safetensors", path.string(), " holds nothing under '", prefix,
        ".'; is it of another kind of model?");
  return found;
}

const Tensor& SafetensorsFile::tensor(const std::string& name) const {
  const auto found = tensors.find(name);
  check(found != tensors.end(), "load_safetensors", path.string(), " holds no tensor '", name, "'");
  return found->second;
}

const std::string& SafetensorsFile::metadata_entry(const std::string& key) const {
  const auto found = metadata.find(key);
  check(found != metadata.end(), "load_safetensors", path.string(), " says nothing about '", key,
        "'; was it made by another program?");
  return found->second;
}

void save_safetensors(const fs::path& path, const NamedTensors& tensors, const Metadata& metadata) {
  check(path.has_filename(), "save_safetensors", "'", path.string(), "' is not the name of a file");
  std::vector<const Tensor*> order;
  std::string header = make_safetensors_header(tensors, metadata, order);
  header.append((8 - header.size() % 8) % 8, ' ');
  check(header.size() <= max_safetensors_header, "save_safetensors", "the names and metadata take ",
        header.size(), " bytes; the format allows ", max_safetensors_header);
  const auto length = static_cast<std::uint64_t>(header.size());
  Replacement file(path);
  file.write(&length, length_bytes);
  file.write(header.data(), header.size());
  for (const Tensor* t : order) {
    const Tensor host = t->to(Device::cpu());
    if (host.nbytes()) file.write(host.bytes(), host.nbytes());
  }
  file.commit();
}

void save(const fs::path& path, const std::map<std::string, NamedTensors>& groups,
          const Metadata& metadata) {
  NamedTensors all;
  for (const auto& [prefix, tensors] : groups) insert_under(all, prefix, tensors);
  save_safetensors(path, all, metadata);
}

SafetensorsFile load_safetensors(const fs::path& path) {
  // O_NONBLOCK: opening a named pipe must not wait for a writer; it has no effect on files.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  const std::uint64_t size = open_size(file, path);
  check(size >= length_bytes, "load_safetensors", path.string(), ": ", size,
        " bytes are too few for a safetensors file; was it cut short while copying?");
  std::uint64_t length = 0;
  read_exactly(file, &length, length_bytes, path);
  const std::uint64_t limit = std::min(size - length_bytes, max_safetensors_header);
  check(length <= limit, "load_safetensors", path.string(), ": the header claims ", length,
        " bytes but at most ", limit,
        " are possible; the file was cut short or is not a safetensors file");
  std::string header(static_cast<std::size_t>(length), '\0');
  read_exactly(file, header.data(), header.size(), path);

  SafetensorsFile result{.path = path, .tensors = {}, .metadata = {}};
  SafetensorsHeader parsed =
      parse_safetensors_header(header, size - length_bytes - length, path.string());
  result.metadata = std::move(parsed.metadata);
  for (const auto& entry : parsed.entries) {
    Tensor t = Tensor::empty(entry.shape, entry.dtype, Device::cpu());
    if (t.nbytes()) read_exactly(file, t.mutable_bytes(), t.nbytes(), path);
    result.tensors.emplace(entry.name, std::move(t));
  }
  return result;
}

}  // namespace imago
