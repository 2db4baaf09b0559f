// Printing of tensors: rows on lines, long dimensions abbreviated in the middle.
#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>

#include "tensor/tensor.h"

namespace imago {
namespace {

constexpr std::int64_t edge = 3;        // elements shown at each end of a long dimension
constexpr std::int64_t threshold = 64;  // smaller tensors are shown whole

double element(const Tensor& t, std::int64_t i) {
  double value = 0;
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      t.dtype(), "print", [&]<class T> { value = static_cast<double>(t.data<T>()[i]); });
  return value;
}

std::string format(double value, bool floating) {
  std::ostringstream out;
  if (floating) {
    out << std::setw(11) << std::setprecision(5) << value;
  } else {
    out << std::setw(4) << static_cast<std::int64_t>(value);
  }
  return out.str();
}

void print_level(std::ostream& out, const Tensor& t, int level, std::int64_t offset,
                 std::int64_t count, bool abbreviate) {
  if (level == t.dim()) {
    out << format(element(t, offset), is_floating(t.dtype()));
    return;
  }
  const std::int64_t extent = t.shape()[level];
  const std::int64_t inner = extent ? count / extent : 0;
  const bool innermost = level == t.dim() - 1;
  out << '[';
  for (std::int64_t i = 0; i < extent; ++i) {
    if (abbreviate && extent > 2 * edge && i == edge) {
      out << (innermost ? " ..."
                        : "\n" + std::string(static_cast<std::size_t>(level) + 1, ' ') + "...");
      i = extent - edge;
    }
    if (i > 0)
      out << (innermost ? "" : "\n" + std::string(static_cast<std::size_t>(level) + 1, ' '));
    print_level(out, t, level + 1, offset + i * inner, inner, abbreviate);
  }
  out << ']';
}

}  // namespace

std::string Tensor::to_string() const {
  if (!defined()) return "Tensor(undefined)";
  std::ostringstream out;
  out << "Tensor" << shape_ << ' ' << dtype_ << ' ' << device() << '\n';
  print_level(out, *this, 0, 0, numel(), numel() > threshold);
  return out.str();
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  return out << tensor.to_string();
}

}  // namespace imago
