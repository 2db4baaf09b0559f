// The header of an .npy file: the text of a Python dictionary between a few fixed bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tensor/files/byte_source.h"
#include "tensor/tensor.h"

namespace imago::files {

// How the elements of a file become those of a tensor.
enum class Storage { as_is, half, boolean };

struct NpyHeader {
  Shape shape;
  DType dtype = DType::f32;  // of the tensor
  Storage storage = Storage::as_is;
  bool swapped = false;  // the bytes of each element are in the other order
  bool fortran = false;  // the first index runs fastest

  std::uint64_t bytes() const;  // of data in the file
};

// What begins an .npy file with this tensor's data: magic, version 1.0, length, dictionary, spaces
// up to a multiple of 64. Throws "[op] where: ..." for bf16.
std::string make_npy_header(const char* op, const std::string& where, const Tensor& tensor);

// Parses the dictionary of a header. Throws "[op] where: ..." unless it is one.
NpyHeader parse_npy_header(const char* op, const std::string& where, std::string_view text);

// One whole .npy: header, data and nothing more. `where` names the file, and the array in it.
Tensor read_npy(const char* op, const std::string& where, ByteSource& source);

}  // namespace imago::files
