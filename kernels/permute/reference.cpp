// The specification of permute: out[i_0, i_1, ...] = x at the index whose axis order[d] is i_d.
#include <array>
#include <cstring>

#include "kernels/permute/engines.h"

namespace imago::kernels {

void permute_reference(const Tensor& x, std::span<const int> order, Tensor& out) {
  const std::size_t size = size_of(x.dtype());
  const std::byte* from = x.bytes();
  std::byte* to = out.mutable_bytes();
  std::array<std::int64_t, Shape::max_dim> index{};  // of x
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    std::int64_t rest = i;
    for (int d = out.dim() - 1; d >= 0; --d) {
      index[static_cast<std::size_t>(order[static_cast<std::size_t>(d)])] = rest % out.size(d);
      rest /= out.size(d);
    }
    std::int64_t at = 0;
    for (int axis = 0; axis < x.dim(); ++axis) {
      at = at * x.size(axis) + index[static_cast<std::size_t>(axis)];
    }
    std::memcpy(to + static_cast<std::size_t>(i) * size, from + static_cast<std::size_t>(at) * size,
                size);
  }
}

}  // namespace imago::kernels
