#include "kernels/adam/adam.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/adam/cpu_adam.h"
#include "kernels/adam/engines.h"
#include "kernels/cuda_build.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/parallel.h"
#include "tensor/op_range.h"

namespace imago::kernels {
namespace {

constexpr std::int64_t chunk = 16384;  // elements one thread takes at a time

void require_lists(std::span<Tensor> params, std::span<const Tensor> grads, std::span<Tensor> m,
                   std::span<Tensor> v, const Tensor& scalars) {
  const std::size_t n = params.size();
  check(grads.size() == n && m.size() == n && v.size() == n, "adam", n, " parameters but ",
        grads.size(), " gradients, ", m.size(), " first and ", v.size(), " second moments");
  check(scalars.defined() && scalars.numel() == 3, "adam", "scalars has shape (3,), not ",
        scalars.shape());
  for (std::size_t i = 0; i < n; ++i) {
    check(params[i].defined() && grads[i].defined() && m[i].defined() && v[i].defined(), "adam",
          "entry ", i, " is undefined; was the gradient never computed?");
    check(params[i].dtype() == params[0].dtype(), "adam", "parameter ", i, " is ",
          params[i].dtype(), " but parameter 0 is ", params[0].dtype());
    for (const Tensor* other :
         {&grads[i], static_cast<const Tensor*>(&m[i]), static_cast<const Tensor*>(&v[i])}) {
      check(other->shape() == params[i].shape() && other->dtype() == params[i].dtype() &&
                other->device() == params[i].device(),
            "adam", "parameter ", i, " is ", params[i].shape(), " ", params[i].dtype(), " on ",
            params[i].device(), " but its gradient or moment is ", other->shape(), " ",
            other->dtype(), " on ", other->device());
    }
    check(params[i].device() == params[0].device(), "adam", "parameter ", i, " is on ",
          params[i].device(), " but parameter 0 is on ", params[0].device());
  }
}

}  // namespace

void adam_update(std::span<Tensor> params, std::span<const Tensor> grads, std::span<Tensor> m,
                 std::span<Tensor> v, const Tensor& scalars, const AdamConstants& constants) {
  require_lists(params, grads, m, v, scalars);
  if (params.empty()) return;
  check(scalars.device() == params[0].device(), "adam", "scalars are on ", scalars.device(),
        " but parameters on ", params[0].device());
  const OpRange range("adam", params[0].device());
  const Tensor wide = cast(scalars, DType::f64);
  if constexpr (cuda_build) {
    if (params[0].device().is_cuda()) {
      return adam_multi_tensor(params, grads, m, v, wide, constants);
    }
  }
  const double* s = wide.data<double>();
  dispatch<float, double>(params[0].dtype(), "adam", [&]<class T> {
    AdamFactors<T> factors = adam_factors<T>(constants);
    factors.step_size = static_cast<T>(s[0] * s[1]);
    factors.inverse_root = static_cast<T>(s[2]);
    // Pointers are taken on this thread, once: mutable_data counts a write.
    std::vector<AdamSlice<T>> slices;
    for (std::size_t i = 0; i < params.size(); ++i) {
      const AdamSlice<T> whole{params[i].mutable_data<T>(), grads[i].data<T>(),
                               m[i].mutable_data<T>(), v[i].mutable_data<T>(), params[i].numel()};
      for (std::int64_t at = 0; at < whole.n; at += chunk) {
        slices.push_back({whole.p + at, whole.g + at, whole.m + at, whole.v + at,
                          std::min(chunk, whole.n - at)});
      }
    }
    parallel_for(static_cast<std::int64_t>(slices.size()),
                 [&](std::int64_t i) { adam_slice(slices[static_cast<std::size_t>(i)], factors); });
  });
}

}  // namespace imago::kernels
