// The engines of image.cpp.
#pragma once

#include "tensor/tensor.h"

namespace imago::kernels {

// cpu_bytes.cpp, n elements on one thread: values of bytes, and bytes of values.
void map_from_bytes(const std::uint8_t* bytes, float* out, std::int64_t n);
void map_from_bytes(const std::uint8_t* bytes, double* out, std::int64_t n);
void map_from_bytes(const std::uint8_t* bytes, bf16* out, std::int64_t n);
void map_to_bytes(const float* x, std::uint8_t* bytes, std::int64_t n);
void map_to_bytes(const double* x, std::uint8_t* bytes, std::int64_t n);
void map_to_bytes(const bf16* x, std::uint8_t* bytes, std::int64_t n);

// CUDA. Arguments have been checked and are on the device; results are allocated. Work is put into
// current_stream(); no elements launch nothing.
void normalize_u8_vector(const Tensor& images, Tensor& out);
void denormalize_u8_vector(const Tensor& x, Tensor& out);

}  // namespace imago::kernels
