#include "tensor/shape.h"

#include <algorithm>
#include <limits>
#include <ostream>
#include <sstream>

#include "tensor/error.h"

namespace imago {

Shape::Shape(std::initializer_list<std::int64_t> extents)
    : Shape(std::span<const std::int64_t>(extents.begin(), extents.size())) {}

Shape::Shape(std::span<const std::int64_t> extents) {
  for (const std::int64_t extent : extents) append(extent);
}

void Shape::append(std::int64_t extent) {
  check(dim_ < max_dim, "shape", "a tensor has at most ", max_dim, " dimensions");
  dim_ += 1;
  set(dim_ - 1, extent);
}

void Shape::set(int i, std::int64_t extent) {
  check(i >= 0 && i < dim_, "shape", "dimension ", i, " of ", *this, " does not exist");
  check(extent >= 0, "shape", "dimension ", i, " would be ", extent, "; extents are not negative");
  extents_[static_cast<std::size_t>(i)] = extent;
  std::int64_t product = 1;
  for (const std::int64_t e : *this) {
    check(e == 0 || product <= std::numeric_limits<std::int64_t>::max() / 8 / e, "shape",
          "more elements than memory can hold: ", *this);
    product *= e;
  }
}

std::int64_t Shape::numel() const {
  std::int64_t product = 1;
  for (const std::int64_t extent : *this) product *= extent;
  return product;
}

std::int64_t Shape::operator[](int i) const {
  const int index = i < 0 ? i + dim_ : i;
  check(index >= 0 && index < dim_, "shape", "dimension ", i, " of ", *this, " does not exist");
  return extents_[static_cast<std::size_t>(index)];
}

bool Shape::operator==(const Shape& other) const {
  return std::equal(begin(), end(), other.begin(), other.end());
}

std::string Shape::to_string() const {
  std::ostringstream out;
  out << '(';
  for (int i = 0; i < dim_; ++i) {
    out << (i ? ", " : "") << extents_[static_cast<std::size_t>(i)];
  }
  out << (dim_ == 1 ? ",)" : ")");
  return out.str();
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  return out << shape.to_string();
}

}  // namespace imago
