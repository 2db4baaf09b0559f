// Pooling of images x (N, H, W, C), channel by channel.
#pragma once

#include "kernels/pool/pool.h"
#include "nn/module.h"

namespace imago::nn {

struct MaxPool2dOptions {
  int kernel = 2;        // height and width of a window
  int stride = 0;        // from one window to the next; 0: the kernel, so that none overlap
  Padding padding = {};  // Padding::same(1), or four sides; counts as -inf
  int dilation = 1;
};

// The largest pixel of each window: (N, P, Q, C) with P = (H + top + bottom - dilation (kernel - 1)
// - 1) / stride + 1, rounded down, Q alike. Throws where a window sees nothing but padding.
class MaxPool2d final : public Module {
 public:
  explicit MaxPool2d(const MaxPool2dOptions& options = {});
  Var forward(const Var& x) override;

 private:
  Pool2dParams params_;
};

struct AvgPool2dOptions {
  int kernel = 2;
  int stride = 0;  // 0: the kernel
  Padding padding = {};
  bool count_include_pad = true;  // padding counts as pixels of value 0, else as none
};

// The mean of each window; shapes as of MaxPool2d.
class AvgPool2d final : public Module {
 public:
  explicit AvgPool2d(const AvgPool2dOptions& options = {});
  Var forward(const Var& x) override;

 private:
  Pool2dParams params_;
};

// The mean of each channel over the whole image: (N, 1, 1, C); Flatten makes it (N, C).
class GlobalAvgPool2d final : public Module {
 public:
  Var forward(const Var& x) override;
};

// The largest of each channel over the whole image: (N, 1, 1, C). Equal pixels share the gradient.
class GlobalMaxPool2d final : public Module {
 public:
  Var forward(const Var& x) override;
};

}  // namespace imago::nn
