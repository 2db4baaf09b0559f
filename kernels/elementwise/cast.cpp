// cast and fill: elements change type, not value.
#include "kernels/elementwise/elementwise.h"
#include "kernels/parallel.h"
#include "tensor/convert.h"

namespace imago::kernels {
namespace {}  // namespace

Tensor cast(const Tensor& x, DType dtype) {
  check(x.defined(), "cast", "the argument is undefined");
  require_device("cast", x.device());
  if (x.dtype() == dtype) return x;
  Tensor out = Tensor::empty(x.shape(), dtype, x.device());
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      x.dtype(), "cast", [&]<class From> {
        const From* px = x.data<From>();
        dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
            dtype, "cast", [&]<class To> {
              To* po = out.mutable_data<To>();
              parallel_ranges(x.numel(), default_grain, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) po[i] = convert<To>(px[i]);
              });
            });
      });
  return out;
}

void fill(Tensor& x, double value) {
  check(x.defined(), "fill", "the tensor is undefined");
  require_device("fill", x.device());
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      x.dtype(), "fill", [&]<class T> {
        T* p = x.mutable_data<T>();
        const T v = convert<T>(value);
        parallel_ranges(x.numel(), default_grain, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) p[i] = v;
        });
      });
}

}  // namespace imago::kernels
