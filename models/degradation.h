// What a translator learns from: good images are made worse, and the good one is the answer.
//
// Everything is a pure function of (seed, step, index of the image in its batch) and of the images:
// random numbers are draws of Philox under numbers of their own (tensor/philox.h), the bits of f32
// are the same on every device and for any number of threads, and image i meets the same
// degradation however many come after it. So a run that goes on degrades as one that never stopped.
#pragma once

#include <cstdint>

#include "models/translation.h"

namespace imago::models {

// Rectangles, one in each of N square images; i64 (N) each, on one device.
struct Holes {
  Tensor top, left, height, width;
};

// In images of size x size: sides of size / 4 to size / 2, each equally likely, and their place by
// the mean of two uniforms over all that keep the hole inside, so that it is mostly near the
// middle, where the face is. size >= 4.
Holes draw_holes(std::int64_t images, std::int64_t size, std::uint64_t seed, std::uint32_t step,
                 Device device);
// u8 (N, size, size, 1): 1 in the hole and else 0.
Tensor mask_of(const Holes& holes, std::int64_t size);

// Low light, as a camera would have it. Images (N, S, S, 3) in [-1, 1] of f32 or f64, and so the
// result. With v = (x + 1) / 2:
//
//   l = v^2.2                                   linear light (the usual stand-in for sRGB's curve)
//   d = l 2^-e                                  e stops less of it, e in [2, 4) for each image
//   n = clamp(d + sqrt(shot d + read^2) z)      z ~ N(0, 1): photons are counted, so their noise
//                                               grows with the root of the light, and reading them
//                                               out adds some more
//   y = 2 n^(1 / 2.2) - 1
//
// The noise is the Gaussian approximation of the Poissonian-Gaussian model of Foi et al. 2008
// ("Practical Poissonian-Gaussian noise modeling and fitting for single-image raw-data", IEEE TIP
// 17(10), eq. 3), their a being shot, b read^2.
struct LowLight {
  double gamma = 2.2;
  double least_stops = 2, most_stops = 4;
  double shot = 1e-3;  // the variance a photon adds: 1000 of them make white
  double read = 2e-3;  // the deviation of reading out, white being 1
};
Tensor low_light(const Tensor& images, std::uint64_t seed, std::uint32_t step,
                 const LowLight& options = {});

// A bright spot that washes out what is below it, as a lamp or the sun in a lens would. Images
// (N, S, S, 3) in [-1, 1] of f32 or f64, and so the result. With v = (x + 1) / 2 of each channel:
//
//   v' = min(1, v + 2 s max(0, 1 - q)^3)
//
// s, the strength, is uniform in [least, most) for each image: one over 1/2 saturates what is
// around the middle, 1 the inner 45 hundredths of the spot even where it was black. q is 0 in the
// middle of an ellipse and 1 on its edge, beyond which nothing changes:
//
//   a = (cos u + sin v) / half width,  b = (cos v - sin u) / half height,  q = a^2 + b^2
//
// of the distances (u, v) of a pixel's middle from that of the spot, which is anywhere in the
// image; half axes are S / 6 to S / 2, and the turn has cos = (1 - t^2) / (1 + t^2), sin =
// 2 t / (1 + t^2) with t in [-1, 1), from a quarter turn to a quarter turn. Place, axes and turn
// are drawn whatever the strength is, so that a sweep over strengths moves no spot. With most = 0
// the result is `images` itself, sharing its memory. Throws unless 0 <= least <= most <= 1.
struct Glare {
  double least = 0.6, most = 0.6;
};
Tensor glare(const Tensor& images, std::uint64_t seed, std::uint32_t step,
             const Glare& options = {});

// A translator's work and its answer. Floating tensors have the dtype of the images.
struct TranslationBatch {
  Tensor input;   // (N, S, S, input channels)
  Tensor target;  // (N, S, S, output channels)
  // i64 (N), 0 or less: the shifts that bring the window of the local discriminator to the upper
  // left corner (ops::shift_images). It has side S / 2. For inpaint it is centred on the hole as
  // far as the image allows, and always holds all of it; else it is anywhere, equally likely.
  Tensor shift_down, shift_right;
};

// Images (N, S, S, 3) in [-1, 1]; for matte (N, S, S, 4), the fourth channel being the matte.
// Throws for others. The step of training that is to have them counts from 1; others are for
// evaluation.
TranslationBatch degraded(TranslationTask task, const Tensor& images, std::uint64_t seed,
                          std::uint32_t step);

// Images that are to be measured on are degraded as of this step, which no training has.
inline constexpr std::uint32_t evaluation_degradation_step = 0xfffffffdu;

// The windows of a batch: of x (N, S, S, C), (N, S / 2, S / 2, C).
Var local_windows(const Var& x, const TranslationBatch& batch);

}  // namespace imago::models
