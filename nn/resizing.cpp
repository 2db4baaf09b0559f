#include "nn/resizing.h"

#include "autograd/ops/pad.h"
#include "autograd/ops/pad_reflect.h"
#include "autograd/ops/resample.h"
#include "nn/require_images.h"

namespace imago::nn {

Upsample::Upsample(const UpsampleOptions& options) : options_(options) {
  const bool by_factor = options.factor > 0 && options.height == 0 && options.width == 0;
  const bool to_size = options.factor == 0 && options.height > 0 && options.width > 0;
  check(by_factor || to_size, "Upsample",
        "takes either a positive factor, or a positive height and width, not factor ",
        options.factor, ", height ", options.height, " and width ", options.width);
}

Var Upsample::forward(const Var& x) {
  require_images("Upsample", x);
  const int factor = options_.factor;
  if (factor > 0) {
    return ops::resample(x, factor * x.size(1), factor * x.size(2), options_.filter);
  }
  return ops::resample(x, options_.height, options_.width, options_.filter);
}

Pad::Pad(const PadOptions& options) : options_(options) {
  const Padding& p = options.padding;
  check(p.top >= 0 && p.bottom >= 0 && p.left >= 0 && p.right >= 0, "Pad",
        "padding must not be negative, but top, bottom, left and right are ", p.top, ", ", p.bottom,
        ", ", p.left, " and ", p.right, "; ops::crop takes pixels away");
  check(options.mode == PadMode::constant || options.value == 0, "Pad",
        "a value belongs to constant padding; reflected padding shows the image");
}

Var Pad::forward(const Var& x) {
  require_images("Pad", x);
  return options_.mode == PadMode::reflect ? ops::pad_reflect(x, options_.padding)
                                           : ops::pad(x, options_.padding, options_.value);
}

}  // namespace imago::nn
