// How near an image is to what it should be, pixel by pixel (PSNR) and neighbourhood by
// neighbourhood (SSIM).
//
// Neither sees what is wrong with blur: the mean of all plausible answers has the best PSNR that
// can be had, and looks like none of them (Blau & Michaeli 2018, "The perception-distortion
// tradeoff", arXiv 1711.06077). models/translation_evaluation.h has scores that see it.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace imago::models {

// Images (N, H, W, C) of one shape in [-1, 1], f32 or f64, of any device; one figure for each
// image. Computed in f64 on the host, the same bits for any number of threads. Throw for others.
// NaN in an image makes its figure NaN.

// Peak signal-to-noise ratio in decibels: 10 log10(L^2 / mean squared difference) over all pixels
// and channels, L = 2 being the range. Infinite for equal images.
std::vector<double> psnr(const Tensor& images, const Tensor& truth);

// Structural similarity (Wang, Bovik, Sheikh & Simoncelli 2004, "Image quality assessment: from
// error visibility to structural similarity", IEEE TIP 13(4), eq. 13 and 14): with means mx and my,
// variances sx^2 and sy^2 and covariance sxy under a Gaussian window of 11 x 11 and deviation 1.5,
//
//   (2 mx my + C1) (2 sxy + C2) / ((mx^2 + my^2 + C1) (sx^2 + sy^2 + C2)),
//   C1 = (0.01 L)^2, C2 = (0.03 L)^2,
//
// for values (x + 1) / 2 in [0, 1], L = 1. Each channel by itself, at each place where the window
// lies inside the image, and the mean of all that: the paper has luma alone. 1 for equal images.
// Height and width must be at least 11.
std::vector<double> ssim(const Tensor& images, const Tensor& truth);

inline constexpr std::int64_t ssim_window = 11;

// The mean of some figures. Throws where there are none.
double mean_of(const std::vector<double>& figures);

}  // namespace imago::models
