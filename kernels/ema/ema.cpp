#include "kernels/ema/ema.h"

#include <algorithm>
#include <vector>

#include "kernels/cuda_build.h"
#include "kernels/ema/engines.h"
#include "kernels/parallel.h"
#include "tensor/op_range.h"

namespace imago::kernels {
namespace {

constexpr std::int64_t chunk = default_grain;  // elements one thread takes at a time

template <class T>
struct Slice {
  T* average;
  const T* value;
  std::int64_t n;
};

}  // namespace

void ema_update(std::span<Tensor> averages, std::span<const Tensor> values, const Tensor& weight) {
  check(averages.size() == values.size(), "ema", averages.size(), " averages of ", values.size(),
        " values");
  check(weight.defined() && weight.numel() == 1 && weight.dtype() == DType::f32, "ema",
        "weight has shape (1,) f32, not ", weight.shape(), " ", weight.dtype());
  for (std::size_t i = 0; i < averages.size(); ++i) {
    check(averages[i].defined() && values[i].defined(), "ema", "entry ", i, " is undefined");
    check(averages[i].shape() == values[i].shape() && averages[i].dtype() == values[i].dtype() &&
              averages[i].dtype() == averages[0].dtype(),
          "ema", "average ", i, " is ", averages[i].shape(), " ", averages[i].dtype(),
          " but its value is ", values[i].shape(), " ", values[i].dtype());
    for (const Device other : {values[i].device(), averages[0].device()}) {
      check(averages[i].device() == other, "ema", "average ", i, " is on ", averages[i].device(),
            " but its value or average 0 is on ", other);
    }
  }
  if (averages.empty()) return;
  check(weight.device() == averages[0].device(), "ema", "weight is on ", weight.device(),
        " but averages on ", averages[0].device());
  const OpRange range("ema", averages[0].device());
  if constexpr (cuda_build) {
    if (averages[0].device().is_cuda()) return ema_multi_tensor(averages, values, weight);
  }
  dispatch<float, double>(averages[0].dtype(), "ema", [&]<class T> {
    const T w = static_cast<T>(*weight.data<float>());
    std::vector<Slice<T>> slices;
    for (std::size_t i = 0; i < averages.size(); ++i) {
      T* average = averages[i].mutable_data<T>();
      const T* value = values[i].data<T>();
      for (std::int64_t at = 0; at < averages[i].numel(); at += chunk) {
        slices.push_back({average + at, value + at, std::min(chunk, averages[i].numel() - at)});
      }
    }
    parallel_for(static_cast<std::int64_t>(slices.size()), [&](std::int64_t k) {
      const Slice<T>& s = slices[static_cast<std::size_t>(k)];
      for (std::int64_t i = 0; i < s.n; ++i) {
        s.average[i] = s.average[i] + w * (s.value[i] - s.average[i]);
      }
    });
  });
}

}  // namespace imago::kernels
