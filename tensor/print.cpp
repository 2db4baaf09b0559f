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

// Element i, wide enough that ordinary values line up in columns.
std::string format(const Tensor& t, std::int64_t i) {
  std::ostringstream out;
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      t.dtype(), "print", [&]<class T> {
        const T value = t.data<T>()[i];
        if constexpr (std::is_integral_v<T>) {
          out << std::setw(3) << static_cast<std::int64_t>(value);
        } else {
          out << std::setw(10) << std::setprecision(5) << static_cast<double>(value);
        }
      });
  return out.str();
}

void print_level(std::ostream& out, const Tensor& t, int level, std::int64_t offset,
                 std::int64_t count, bool abbreviate) {
  if (level == t.dim()) {
    out << ' ' << format(t, offset);
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
  print_level(out, to(Device::cpu()), 0, 0, numel(), numel() > threshold);
  return out.str();
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  return out << tensor.to_string();
}

}  // namespace imago
