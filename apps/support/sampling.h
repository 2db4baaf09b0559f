// Drawing images from a trained generator.
#pragma once

#include <cstdint>

#include "models/gan.h"

namespace imago::apps {

// Image i (of `count`, f32 (count, image, image, 3) in [-1, 1], in host memory whatever the device
// of the generator, which is the Context's) is a function of (seed, i): asking for more images does
// not change the first ones.
Tensor sample_images(models::Gan& gan, std::int64_t count, std::uint64_t seed);

}  // namespace imago::apps
