// The specification of sum_to.
#include <vector>

#include "kernels/reduce/reduce.h"
#include "tensor/convert.h"

namespace imago::kernels {

Tensor sum_to_reference(const Tensor& x, const Shape& shape) {
  const int missing = x.dim() - shape.dim();
  std::vector<double> sums(static_cast<std::size_t>(shape.numel()), 0.0);
  Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  dispatch<float, double, bf16>(x.dtype(), "sum_to", [&]<class T> {
    const T* px = x.data<T>();
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      std::int64_t rest = i;
      std::int64_t target = 0;
      std::int64_t pitch = 1;
      for (int axis = x.dim() - 1; axis >= missing; --axis) {
        const std::int64_t step = rest % x.shape()[axis];
        rest /= x.shape()[axis];
        if (shape[axis - missing] != 1) target += step * pitch;
        pitch *= shape[axis - missing];
      }
      sums[static_cast<std::size_t>(target)] += convert<double>(px[i]);
    }
    T* po = out.mutable_data<T>();
    for (std::size_t i = 0; i < sums.size(); ++i) po[i] = convert<T>(sums[i]);
  });
  return out;
}

}  // namespace imago::kernels
