// Anything that turns faces into rows of numbers that can be compared: networks, and the methods
// that came before them.
#pragma once

#include <cstdint>
#include <string>

#include "tensor/tensor.h"

namespace imago::models {

class FaceEncoder {
 public:
  virtual ~FaceEncoder() = default;

  virtual std::string label() const = 0;  // for tables: "residual, arcface", "Eigenfaces"
  // Images (N, H, W, 3), f32 in [-1, 1], on any device, resampled to the size the encoder works at
  // -> rows (N, D), f32 on the CPU. In batches, without gradients. Each row depends on its image
  // alone.
  virtual Tensor encode(const Tensor& images) = 0;
  // How alike rows a (N, D) and b (M, D) are: (N, M), f32 on the CPU; more is more alike.
  virtual Tensor similarity(const Tensor& a, const Tensor& b) const = 0;
};

// Luma of Rec. 601 (0.299 R + 0.587 G + 0.114 B) of images (N, H, W, 3) f32, resampled to size x
// size first where they are of another: (N, size, size) f32 on the CPU. What the classical methods
// see.
Tensor grey_images(const Tensor& images, std::int64_t size);

}  // namespace imago::models
