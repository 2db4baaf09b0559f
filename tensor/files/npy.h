// Arrays in NumPy's formats: .npy, one array, and .npz, a zip archive of several by name.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html describes both.
//
// NumPy's type        here        NumPy's type        here
// float32  '<f4'      f32         int64    '<i8'      i64
// float64  '<f8'      f64         uint8    '|u1'      u8
// int32    '<i4'      i32         bool     '|b1'      u8, reading only: False 0, True 1
// float16  '<f2'      f32, reading only: every half is an f32
// Big-endian files are read too. A type that is not here (int16, complex64, text, objects, ...) is
// an error that names it; objects are never unpickled.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "tensor/tensor.h"

namespace imago {

// Arrays by name, as numpy.load gives them for an .npz. The same type as NamedTensors of nn/.
using NamedArrays = std::map<std::string, Tensor>;

// The array in a file of format version 1, 2 or 3, in host memory. Arrays in Fortran order are
// rearranged: element (i, j) stays element (i, j). Everything in the file is checked before it is
// believed: one that is cut short, damaged or foreign throws Error naming the file, what is wrong
// and what to do.
Tensor load_npy(const std::filesystem::path& path);

// Replaces the file whole or not at all (tensor/write_file.h). Tensors on a device are copied to
// the host first. Version 1.0, C order, little-endian. bf16 throws: NumPy has no such type.
void save_npy(const std::filesystem::path& path, const Tensor& tensor);

// All arrays of an archive, without ".npy" at the end of their names: as written by numpy.savez or
// numpy.savez_compressed. The archive's checksums are verified.
NamedArrays load_npz(const std::filesystem::path& path);

// An archive as of numpy.savez, uncompressed; equal arrays give equal bytes. Names must be neither
// empty nor contain a NUL. Replaces the file whole or not at all.
void save_npz(const std::filesystem::path& path, const NamedArrays& arrays);

}  // namespace imago
