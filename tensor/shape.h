// The extents of a tensor, outermost first. Tensors are always contiguous, so this is the layout.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>

namespace imago {

class Shape {
 public:
  static constexpr int max_dim = 8;

  Shape() = default;  // zero dimensions: a scalar of one element
  Shape(std::initializer_list<std::int64_t> extents);
  explicit Shape(std::span<const std::int64_t> extents);

  int dim() const { return dim_; }
  std::int64_t numel() const;
  // Extent i; a negative i counts from the innermost (-1). Throws when out of range.
  std::int64_t operator[](int i) const;
  void set(int i, std::int64_t extent);
  void append(std::int64_t extent);

  const std::int64_t* begin() const { return extents_.data(); }
  const std::int64_t* end() const { return extents_.data() + dim_; }

  bool operator==(const Shape& other) const;
  std::string to_string() const;  // "(128, 32, 32, 3)"

 private:
  std::array<std::int64_t, max_dim> extents_{};
  int dim_ = 0;
};

std::ostream& operator<<(std::ostream& out, const Shape& shape);

}  // namespace imago
