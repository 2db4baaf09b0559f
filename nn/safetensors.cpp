#include "nn/safetensors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "nn/safetensors_header.h"
#include "tensor/write_file.h"

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

 private:
  int fd_;
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
  FileReplacement file("save_safetensors", path);
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
