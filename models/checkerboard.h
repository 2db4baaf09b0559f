// How much of a picture alternates from pixel to pixel, which is what a checkerboard does.
//
// A generator that doubles its images by transposed convolutions makes the pixels of even and of
// odd rows and columns by different weights, and their difference shows as a pattern of period two
// (Odena et al. 2016, doi 10.23915/distill.00003). In the spectrum of the picture that pattern is
// the Nyquist frequency of the rows, of the columns or of both.
#pragma once

#include "tensor/tensor.h"

namespace imago::models {

// The share of the energy of images (N, H, W, C), f32 or f64, on any device, that lies at those
// frequencies. With F(u, v) the discrete Fourier transform of a channel over its rows and columns:
//
//   sum of |F(u, v)|^2 where u = H / 2 or v = W / 2  /  sum of |F(u, v)|^2 but for F(0, 0)
//
// each sum over all images and channels, so those of much contrast count for more. From 0 to 1: 1
// of a checkerboard or stripes of one pixel, (H + W - 1) / (H W - 1) of white noise, 3 / (W^2 - 1)
// of a ramp along the columns, 0 of images without any difference. Where H or W is odd, the last
// row or column is left out, for there is no such frequency with it. Computed in f64 by Parseval's
// theorem from sums of alternating sign, without a transform; an image after the other, so that the
// number of threads is of no account. Throws for another rank or dtype, fewer than two rows or
// columns, and values that are not finite.
double checkerboard_energy(const Tensor& images);

}  // namespace imago::models
