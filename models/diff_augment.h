// DiffAugment: Zhao et al. 2020 (arXiv 2006.10738). D sees every image, real and fake, in the step
// of D and in that of G, only through one random transformation T: with few photos D can no longer
// learn them by heart, and as T has a gradient, G still learns from D(T(G(z))) where to go. T never
// reaches what G draws, as long as it is applied to both: augmenting real images alone would teach
// G the augmentations.
//
// Three kinds, in this order, all with draws of their own for each image:
//   colour       brightness: x + b, b in [-1/2, 1/2); saturation: the distance of each channel from
//                the pixel's mean times s in [0, 2); contrast: the distance from the image's mean
//                times c in [1/2, 3/2). For images in [-1, 1]; nothing is clamped afterwards.
//   translation  by up to 1/8 of height and of width (rounded) either way; zeros move in.
//   cutout       a window of half the height and half the width (rounded up) becomes 0, with its
//                centre anywhere in the image, so that it may stick out.
//
// T is affine in the images: its gradient is another composition of the same few operations, can be
// differentiated again (R1 and WGAN-GP see through it) and is the same bits for any number of
// threads. Random numbers come from the Context's generator: one draw a call, whatever the policy,
// and none where every kind is off.
#pragma once

#include <string>

#include "autograd/var.h"

namespace imago::models {

struct DiffAugmentOptions {
  bool colour = true, translation = true, cutout = true;
  bool operator==(const DiffAugmentOptions&) const = default;
};

// T(images) for images (N, H, W, C), 3 channels as a rule, of f32, f64 or bf16; the same shape and
// dtype. `images` itself where every kind is off. Errors: another rank or dtype.
Var diff_augment(const Var& images, const DiffAugmentOptions& options = {});

// "colour,translation,cutout", any of them, once each, in any order; "none" or "" for none of them.
// Throws on other words, and names them.
DiffAugmentOptions diff_augment_policy(const std::string& policy);
// The inverse: the kinds in the order above, or "none".
std::string name_of(const DiffAugmentOptions& options);

// What is drawn for N images; a kind whose tensors are undefined does nothing. Floats are f64,
// integers i64, all (N) and on the device of the images.
struct DiffAugmentDraws {
  Tensor brightness, saturation, contrast;  // b, s and c above
  Tensor shift_down, shift_right;           // pixels; negative is up and left
  Tensor cut_top, cut_left;                 // first row and column of the window; may be negative
};

// Uniform draws for images of this shape (N, H, W, C), on `device`. The draws of a kind are the
// same whichever other kinds are on.
DiffAugmentDraws draw_diff_augment(const Shape& images, const DiffAugmentOptions& options,
                                   Device device = Context::current().device);

// The deterministic part. images (N, H, W, C).
Var apply_diff_augment(const Var& images, const DiffAugmentDraws& draws);

}  // namespace imago::models
