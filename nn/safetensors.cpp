#include "nn/safetensors.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "nn/safetensors_header.h"
#include "tensor/files/read_file.h"
#include "tensor/half.h"
#include "tensor/write_file.h"

namespace imago {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little,
              "tensors are stored as they are in memory");

constexpr std::size_t length_bytes = 8;

// A zip archive or, from old versions, a pickle (0x80 and its protocol): what torch.save writes.
bool looks_like_torch_save(std::uint64_t first_bytes) {
  return (first_bytes & 0xffffffff) == 0x04034b50 ||
         ((first_bytes & 0xff) == 0x80 && (first_bytes >> 8 & 0xff) <= 5);
}

// Bytes of a file as the elements of a tensor.
Tensor read_tensor(files::ByteSource& source, const SafetensorsEntry& entry) {
  Tensor t = Tensor::empty(entry.shape, entry.dtype, Device::cpu());
  if (t.numel() == 0) return t;
  if (entry.half) {
    std::vector<std::uint16_t> halves(static_cast<std::size_t>(t.numel()));
    source.read(halves.data(), halves.size() * sizeof halves[0]);
    std::transform(halves.begin(), halves.end(), t.mutable_data<float>(), half_to_float);
  } else {
    source.read(t.mutable_bytes(), t.nbytes());
  }
  return t;
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
  const files::ReadFile file("load_safetensors", path);
  check(file.size() >= length_bytes, "load_safetensors", path.string(), ": ", file.size(),
        " bytes are too few for a safetensors file; was it cut short while copying?");
  files::FileRange source(file, 0, file.size());
  std::uint64_t length = 0;
  source.read(&length, length_bytes);
  const std::uint64_t limit = std::min(source.remaining(), max_safetensors_header);
  if (length > limit && looks_like_torch_save(length)) {
    fail("load_safetensors", path.string(),
         " looks like a file of torch.save; write safetensors instead, in Python: "
         "safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")");
  }
  check(length <= limit, "load_safetensors", path.string(), ": the header claims ", length,
        " bytes but at most ", limit,
        " are possible; the file was cut short or is not a safetensors file");
  std::string header(static_cast<std::size_t>(length), '\0');
  source.read(header.data(), header.size());

  SafetensorsFile result{.path = path, .tensors = {}, .metadata = {}};
  SafetensorsHeader parsed = parse_safetensors_header(header, source.remaining(), path.string());
  result.metadata = std::move(parsed.metadata);
  for (const auto& entry : parsed.entries) {
    result.tensors.emplace(entry.name, read_tensor(source, entry));
  }
  return result;
}

}  // namespace imago
