// What a recogniser takes for alike, as a picture: faces framed green where it is right, red where
// it is not.
#pragma once

#include <cstdint>
#include <vector>

#include "data/image.h"
#include "tensor/tensor.h"

namespace imago::apps {

// Up to 8 rows of a face and the 5 others that are most alike, framed by whether they are of its
// class. images u8 (N, S, S, 3), similarity (N, N) f32, both on the CPU, and the class of each
// image. The faces that rows begin with are of different classes, as far as there are such, and a
// function of the classes alone. N >= 1.
data::Image nearest_picture(const Tensor& images, const Tensor& similarity,
                            const std::vector<std::int64_t>& classes);

// Up to 8x8 faces, u8 (N, S, S, 3) on the CPU, spread evenly over the images, framed by whether the
// answer is the truth.
data::Image answers_picture(const Tensor& images, const std::vector<std::int64_t>& truth,
                            const std::vector<std::int64_t>& answers);

}  // namespace imago::apps
