// The single changes that augmentation is made of, each by a known amount; data/augment.h draws the
// amounts. They work in place on one image of 8 bits, (S, S, 3), S being its size in pixels.
//
// Pure functions made of integer arithmetic, +, -, *, / and sqrt, without the machine's libm: the
// same input gives the same bytes on any thread and any machine. Results are rounded once per
// change and kept within 0..255.
#pragma once

#include <cstdint>

namespace imago::data {

// A turn about the middle of the image, then a change of size about it, then a shift.
struct Warp {
  double degrees = 0;  // clockwise as one looks at it, -180 to 180
  double scale = 1;    // above 0; 2: everything is twice as large
  double right = 0;    // pixels
  double down = 0;
};
// All three as one resampling, so that the picture is softened once: each pixel of the result asks
// where in the source it comes from and takes the bilinear mean of the four pixels there, with
// weights in steps of 1/256. Beyond the edges these are repeated.
void warp(std::uint8_t* pixels, int size, const Warp& by);

// v' = 255 (v / 255)^exponent, then differences from the middle grey 127.5 times `contrast`, then
// `brightness` more of the scale 0..255.
struct Tone {
  float exponent = 1, contrast = 1, brightness = 0;
};
void change_tone(std::uint8_t* pixels, int size, const Tone& tone);

// A pixel's grey: luma of Rec. ITU-R BT.601, 0.299 r + 0.587 g + 0.114 b, rounded.
inline int luma(const std::uint8_t* rgb) {
  // The factors times 2^16; they add up to it, so that greys stay what they are.
  return (19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16;
}
// Differences from a pixel's grey times `factor`, 0 to 2.
void saturate(std::uint8_t* pixels, int size, float factor);
void make_grey(std::uint8_t* pixels, int size);

// A bright ellipse with a soft edge: with v in 0..1,
//
//   v' = min(1, v + 2 strength max(0, 1 - q)^3)
//
// where q is 0 in the middle of the spot and 1 on its edge: the squared distance in units of the
// half axes. So it washes out, and of a strength over 1/2 saturates, what is around the middle,
// whatever was there. The formula is that of models::glare.
struct GlareSpot {
  float strength = 0;                     // 0 to 1
  float x = 0, y = 0;                     // middle, in pixels; the first pixel's is at 0.5
  float half_width = 1, half_height = 1;  // pixels, above 0
  // The tangent of half of the angle by which the ellipse is turned: cosine and sine are then the
  // rational functions (1 - t^2) / (1 + t^2) and 2 t / (1 + t^2). -1 to 1 are all ellipses.
  float tilt = 0;
};
void add_glare(std::uint8_t* pixels, int size, const GlareSpot& spot);

// `stops` less light with the noise of a sensor: the formula of models::low_light with its default
// constants, v in 0..1 of each channel,
//
//   d = v^2.2 2^-stops,  v' = clamp(d + sqrt(0.001 d + 0.002^2) z)^(1 / 2.2)
//
// (Foi et al. 2008, "Practical Poissonian-Gaussian noise modeling and fitting for single-image
// raw-data", IEEE TIP 17(10), eq. 3). It is a second implementation because data may not include
// models, and because this one is made for worker threads: the powers are tables, the second over
// the root of the light (what is left to be raised to is then 1 / 1.1, nearly straight, and 1024
// entries are enough for 8 bits), and z comes from the noise described below.
void darken(std::uint8_t* pixels, int size, float stops, std::uint32_t key);

// Noise of this standard deviation, of the scale 0..255, 128 at most; each channel has its own. A
// normal number is the sum of the four bytes of a hash of (key, place), less its mean, over its
// deviation: Gaussian enough for an eye or a network (no more than 3.45 deviations), without
// logarithm and root, and of whole numbers, so that it takes a few operations a byte.
void add_noise(std::uint8_t* pixels, int size, float deviation, std::uint32_t key);

// To (small, small) and back to `size` by data::resize. 1 <= small <= size.
void coarsen(std::uint8_t* pixels, int size, int small);

// This rectangle in the middle grey, 128. It lies within the image.
void cut_out(std::uint8_t* pixels, int size, int left, int top, int width, int height);

}  // namespace imago::data
