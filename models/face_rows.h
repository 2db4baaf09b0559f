// What the methods of models/classical_faces.h share: images as rows of grey values, and tables of
// how alike rows are.
#pragma once

#include <cstdint>
#include <functional>

#include "tensor/tensor.h"

namespace imago::models {

// Grey values of images (N, H, W, 3), f32 on any device, at size x size: (N, size * size) f32 on
// the CPU. Where `equalize`, those of each image have mean 0 and variance 1; an image of one colour
// is all 0: one whose deviation is below 1e-4, less than that of one pixel of 64 x 64 which is off
// by a step of 8 bits.
// Throws, naming op, for fewer than `least` images, other shapes and dtypes, and an image with a
// value that is not finite.
Tensor face_rows(const char* op, const Tensor& images, int size, bool equalize, std::int64_t least);

// Takes the mean of rows (N, D) f32 on the CPU away from each, and returns it: (D) f32.
Tensor take_mean(Tensor& rows);

// Throws, naming op, unless a (N, D) and b (M, D) are f32 with D = columns, N and M at least 1.
void check_rows(const char* op, const Tensor& a, const Tensor& b, std::int64_t columns);

// (N, M) f32 on the CPU: f of each row of a (N, D) with each of b (M, D), both as check_rows has
// them. f is called on several threads.
Tensor table_of_rows(const Tensor& a, const Tensor& b,
                     const std::function<float(const float* a, const float* b)>& f);

}  // namespace imago::models
