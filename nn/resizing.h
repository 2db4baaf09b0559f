// Layers that change the height and width of images x (N, H, W, C).
#pragma once

#include "kernels/padding.h"
#include "kernels/resample/resample.h"
#include "nn/module.h"

namespace imago::nn {

struct UpsampleOptions {
  int factor = 0;                   // of height and width, or else
  int height = 0, width = 0;        // what they become
  Filter filter = Filter::nearest;  // bilinear, or bilinear_antialias to make smaller
};

// x resampled: (N, factor H, factor W, C) or (N, height, width, C), with half-pixel centres
// (kernels/resample/resample.h). Followed by a convolution it replaces a transposed one without the
// latter's checkerboards (Odena et al. 2016, doi 10.23915/distill.00003).
class Upsample final : public Module {
 public:
  explicit Upsample(const UpsampleOptions& options);
  Var forward(const Var& x) override;

 private:
  UpsampleOptions options_;
};

enum class PadMode { constant, reflect };

struct PadOptions {
  Padding padding = {};  // Padding::same(1), or four sides
  PadMode mode = PadMode::constant;
  double value = 0;  // of constant padding
};

// x with pixels around it: (N, top + H + bottom, left + W + right, C). They are `value`, or mirror
// the image at its border pixels, which are not repeated; that padding is smaller than the extent.
class Pad final : public Module {
 public:
  explicit Pad(const PadOptions& options);
  Var forward(const Var& x) override;

 private:
  PadOptions options_;
};

}  // namespace imago::nn
