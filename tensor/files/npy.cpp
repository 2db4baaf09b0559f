#include "tensor/files/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "tensor/files/npy_header.h"
#include "tensor/files/read_file.h"
#include "tensor/half.h"
#include "tensor/permuted.h"
#include "tensor/write_file.h"

namespace imago {
namespace files {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are copied as they are");

void swap_bytes(std::byte* data, std::uint64_t bytes, std::size_t element) {
  for (std::uint64_t i = 0; i < bytes; i += element) std::reverse(data + i, data + i + element);
}

void read_elements(ByteSource& source, const NpyHeader& header, Tensor& t) {
  if (t.numel() == 0) return;
  if (header.storage == Storage::half) {
    std::vector<std::uint16_t> halves(static_cast<std::size_t>(t.numel()));
    auto* bytes = reinterpret_cast<std::byte*>(halves.data());
    source.read(bytes, halves.size() * 2);
    if (header.swapped) swap_bytes(bytes, halves.size() * 2, 2);
    std::transform(halves.begin(), halves.end(), t.mutable_data<float>(), half_to_float);
    return;
  }
  std::byte* bytes = t.mutable_bytes();
  source.read(bytes, t.nbytes());
  if (header.swapped) swap_bytes(bytes, t.nbytes(), size_of(t.dtype()));
  if (header.storage == Storage::boolean) {
    for (std::size_t i = 0; i < t.nbytes(); ++i) bytes[i] = std::byte{bytes[i] != std::byte{0}};
  }
}

}  // namespace

Tensor read_npy(const char* op, const std::string& where, ByteSource& source) {
  const auto read = [&](void* data, std::uint64_t bytes, const char* part) {
    check(source.remaining() >= bytes, op, where, ": ", part, " takes ", bytes,
          " bytes but there are ", source.remaining(),
          "; was the file cut short while copying? Copy it again");
    source.read(data, static_cast<std::size_t>(bytes));
  };
  char start[8] = {};
  read(start, std::min<std::uint64_t>(source.remaining(), sizeof start), "the start");
  if (std::memcmp(start, "\x93NUMPY", 6) != 0) {
    fail(op, where, " is not an array that numpy.save wrote",
         std::memcmp(start, "PK", 2) == 0 ? "; it may be an .npz archive: use load_npz" : "");
  }
  const int version = start[6];
  check(1 <= version && version <= 3 && start[7] == 0, op, where, ": format version ",
        int{static_cast<unsigned char>(start[6])}, ".", int{static_cast<unsigned char>(start[7])},
        " is unknown; there are 1.0, 2.0 and 3.0: save it again with numpy.save");
  std::uint32_t length = 0;
  read(&length, version == 1 ? 2 : 4, "the length of the header");
  check(length <= source.remaining(), op, where, ": the header claims ", length,
        " bytes but there are ", source.remaining(),
        "; was the file cut short while copying? Copy it again");
  std::string text(length, '\0');
  source.read(text.data(), text.size());
  const NpyHeader header = parse_npy_header(op, where, text);
  const std::uint64_t wanted = header.bytes(), there = source.remaining();
  check(wanted <= there, op, where, ": ", header.shape, " takes ", wanted, " bytes but there are ",
        there, "; was the file cut short while copying? Copy it again");
  check(wanted == there, op, where, ": ", there - wanted, " bytes follow the array ", header.shape,
        "; were several arrays saved into one file? Save them with numpy.savez");

  Shape shape = header.shape;
  const int dim = shape.dim();
  // In Fortran order the file holds the transposed array in C order.
  if (header.fortran) {
    for (int i = 0; i < dim; ++i) shape.set(i, header.shape[dim - 1 - i]);
  }
  Tensor t = Tensor::empty(shape, header.dtype, Device::cpu());
  read_elements(source, header, t);
  source.finish();
  if (!header.fortran) return t;
  std::array<int, Shape::max_dim> axes{};
  for (int i = 0; i < dim; ++i) axes[static_cast<std::size_t>(i)] = dim - 1 - i;
  return permuted(t, std::span(axes).first(static_cast<std::size_t>(dim)));
}

}  // namespace files

Tensor load_npy(const std::filesystem::path& path) {
  const files::ReadFile file("load_npy", path);
  files::FileRange source(file, 0, file.size());
  return files::read_npy("load_npy", path.native(), source);
}

void save_npy(const std::filesystem::path& path, const Tensor& tensor) {
  const std::string header = files::make_npy_header("save_npy", path.native(), tensor);
  const Tensor host = tensor.to(Device::cpu());
  FileReplacement file("save_npy", path);
  file.write(header.data(), header.size());
  if (host.nbytes()) file.write(host.bytes(), host.nbytes());
  file.commit();
}

}  // namespace imago
