// How many pixels stand on each side of an image, for convolution, pooling and padding.
#pragma once

namespace imago {

struct Padding {
  int top = 0, bottom = 0, left = 0, right = 0;

  static Padding same(int p) { return {p, p, p, p}; }
  bool operator==(const Padding&) const = default;
};

}  // namespace imago
