// cast and fill: elements change type, not value.
#include "kernels/cuda_build.h"
#include "kernels/elementwise/cpu_map.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/engines.h"
#include "kernels/parallel.h"
#include "tensor/convert.h"
#include "tensor/op_range.h"

namespace imago::kernels {

Tensor cast(const Tensor& x, DType dtype) {
  check(x.defined(), "cast", "the argument is undefined");
  if (x.dtype() == dtype) return x;
  const OpRange range("cast", x.device());
  Tensor out = Tensor::empty(x.shape(), dtype, x.device());
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      cast_vector(x, out);
      return out;
    }
  }
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      x.dtype(), "cast", [&]<class From> {
        const From* px = x.data<From>();
        dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
            dtype, "cast", [&]<class To> {
              To* po = out.mutable_data<To>();
              parallel_ranges(x.numel(), default_grain, [&](std::int64_t begin, std::int64_t end) {
                if constexpr ((std::is_same_v<From, bf16> && std::is_same_v<To, float>) ||
                              (std::is_same_v<From, float> && std::is_same_v<To, bf16>)) {
                  map_cast(px + begin, po + begin, end - begin);
                } else {
                  for (std::int64_t i = begin; i < end; ++i) po[i] = convert<To>(px[i]);
                }
              });
            });
      });
  return out;
}

void fill(Tensor& x, double value) {
  check(x.defined(), "fill", "the tensor is undefined");
  const OpRange range("fill", x.device());
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) return fill_vector(x, value);
  }
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      x.dtype(), "fill", [&]<class T> {
        T* p = x.mutable_data<T>();
        const T v = convert<T>(value);
        parallel_ranges(x.numel(), default_grain, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) p[i] = v;
        });
      });
}

Tensor full(const Shape& shape, double value, DType dtype, Device device) {
  Tensor out = Tensor::empty(shape, dtype, device);
  fill(out, value);
  return out;
}

}  // namespace imago::kernels
