#include <array>

#include "tensor/files/npy.h"
#include "tensor/files/npy_header.h"
#include "tensor/files/zip.h"

namespace imago {
namespace {

constexpr std::string_view ending = ".npy";

}  // namespace

NamedArrays load_npz(const std::filesystem::path& path) {
  const files::ReadFile file("load_npz", path);
  const files::ZipReader archive(file);
  NamedArrays arrays;
  for (const files::ZipEntry& entry : archive.entries()) {
    check(entry.name.ends_with(ending), "load_npz", path.native(), ": member '", entry.name,
          "' is no array; an .npz holds NAME.npy only: save it again with numpy.savez");
    const std::string name = entry.name.substr(0, entry.name.size() - ending.size());
    arrays.emplace(name, files::read_npy("load_npz", path.native() + ": array '" + name + "'",
                                         *archive.open(entry)));
  }
  return arrays;
}

void save_npz(const std::filesystem::path& path, const NamedArrays& arrays) {
  FileReplacement file("save_npz", path);
  files::ZipWriter archive(file);
  for (const auto& [name, tensor] : arrays) {
    const std::string where = path.native() + ": array '" + name + "'";
    check(!name.empty() && name.find('\0') == std::string::npos && name.size() < 65000, "save_npz",
          where, ": a name must be neither empty nor contain NUL nor exceed 65000 bytes");
    const std::string header = files::make_npy_header("save_npz", where, tensor);
    const Tensor host = tensor.to(Device::cpu());
    const std::array parts = {
        std::as_bytes(std::span(header)),
        host.nbytes() ? std::span(host.bytes(), host.nbytes()) : std::span<const std::byte>()};
    archive.add(name + std::string(ending), parts);
  }
  archive.finish();
  file.commit();
}

}  // namespace imago
