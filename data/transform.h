// Cropping, resizing and mirroring of 8-bit images. Pure functions: the same input gives the same
// bits on any thread.
#pragma once

#include <cstdint>
#include <filesystem>

#include "data/image.h"
#include "tensor/tensor.h"

namespace imago::data {

struct Box {
  int x = 0, y = 0, width = 0, height = 0;
};

// The largest box of the given aspect (width / height) in the middle of the image; a leftover odd
// pixel goes to the right or bottom. At least one pixel each way.
Box centre_box(int width, int height, double aspect = 1.0);
Image crop(const Image& image, const Box& box);  // throws when the box leaves the image
inline Image centre_crop(const Image& image, double aspect = 1.0) {
  return crop(image, centre_box(image.width, image.height, aspect));
}

// Resizes to exactly (height, width) with a Catmull-Rom kernel that widens when it shrinks, so that
// fine patterns average out instead of aliasing (Mitchell and Netravali, "Reconstruction filters
// in computer graphics", SIGGRAPH 1988: B = 0, C = 1/2). Works on the stored (sRGB) values, as
// other tools do by default; edges are repeated. An image of that
// size already is returned as it is.
Image resize(const Image& image, int width, int height);

// Centre crop to a square, then resize to (size, size).
Image square(const Image& image, int size);

// A square within the middle square of an image, in shares of that one's side: where the face is
// when a data set shows more, or less, around it than another one.
struct FaceCrop {
  double x = 0, y = 0;  // upper left corner
  double side = 1;

  bool operator==(const FaceCrop&) const = default;
};

// The crop, to whole pixels, then resized to (size, size). Throws when it leaves the middle square.
Image face_square(const Image& image, const FaceCrop& crop, int size);

// An image file as networks take it: read (load_image), brought to size x size (square), f32
// (1, size, size, 3) in [-1, 1] on the CPU. Throws where these do.
Tensor load_face(const std::filesystem::path& path, int size);

// Mirrors pixels (height, width, channels) left to right, in place.
void flip_horizontal(std::uint8_t* pixels, int height, int width, int channels = 3);
void flip_horizontal(Image& image);

}  // namespace imago::data
