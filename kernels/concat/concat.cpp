#include "kernels/concat/concat.h"

#include "tensor/op_range.h"

namespace imago::kernels {

Tensor concat(std::span<const Tensor> parts) {
  check(!parts.empty(), "concat", "needs at least one part");
  const Tensor& first = parts.front();
  check(first.defined() && first.dim() > 0, "concat",
        "part 0 needs at least one dimension, the one to join along");
  const OpRange range("concat", first.device());
  Shape shape = first.shape();
  std::int64_t total = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Tensor& part = parts[i];
    check(part.defined() && part.dtype() == first.dtype() && part.device() == first.device(),
          "concat", "part ", i, " is ", part.dtype(), " on ", part.device(), " but part 0 is ",
          first.dtype(), " on ", first.device());
    Shape expected = first.shape();
    expected.set(0, part.dim() > 0 ? part.size(0) : 0);
    check(part.shape() == expected, "concat", "part ", i, " is ", part.shape(), " but part 0 is ",
          first.shape(), "; all extents but the first agree");
    total += part.size(0);
  }
  shape.set(0, total);
  Tensor out = Tensor::empty(shape, first.dtype(), first.device());
  std::int64_t at = 0;
  for (const Tensor& part : parts) {
    out.slice(at, at + part.size(0)).copy_from(part);
    at += part.size(0);
  }
  return out;
}

}  // namespace imago::kernels
