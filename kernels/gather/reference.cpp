// The specifications of gather.h: loops over (outer, picks, inner).
#include <cstring>
#include <vector>

#include "kernels/gather/engines.h"
#include "kernels/gather/gather.h"

namespace imago::kernels {
namespace {

// Calls f(place in x, place in the picked tensor) for each pair that an index joins, positions in
// ascending order. `each`: whether every (o, i) has its own indices.
template <class F>
void for_picks(const Picks& p, const Tensor& indices, bool each, F&& f) {
  const std::int64_t* index = indices.data<std::int64_t>();
  for (std::int64_t o = 0; o < p.outer; ++o) {
    for (std::int64_t k = 0; k < p.picks; ++k) {
      for (std::int64_t i = 0; i < p.inner; ++i) {
        const std::int64_t picked = (o * p.picks + k) * p.inner + i;
        f((o * p.extent + index[each ? picked : k]) * p.inner + i, picked);
      }
    }
  }
}

Tensor move(const PickPlan& plan, const Tensor& x, const Tensor& indices, bool each) {
  Tensor out = Tensor::empty(plan.out, x.dtype(), Device::cpu());
  const std::size_t size = size_of(x.dtype());
  const std::byte* from = x.bytes();
  std::byte* to = out.mutable_bytes();
  for_picks(plan.picks, indices, each, [&](std::int64_t at, std::int64_t picked) {
    std::memcpy(to + static_cast<std::size_t>(picked) * size,
                from + static_cast<std::size_t>(at) * size, size);
  });
  return out;
}

Tensor add(const PickPlan& plan, const Tensor& x, const Tensor& indices, bool each) {
  Tensor out = Tensor::empty(plan.out, x.dtype(), Device::cpu());
  dispatch<float, double, bf16>(x.dtype(), "index_add", [&]<class T> {
    std::vector<acc_t<T>> sums(static_cast<std::size_t>(out.numel()));
    const T* from = x.data<T>();
    for_picks(plan.picks, indices, each, [&](std::int64_t at, std::int64_t picked) {
      sums[static_cast<std::size_t>(at)] += static_cast<acc_t<T>>(from[picked]);
    });
    T* to = out.mutable_data<T>();
    for (std::size_t i = 0; i < sums.size(); ++i) to[i] = static_cast<T>(sums[i]);
  });
  return out;
}

}  // namespace

Tensor index_select_reference(const Tensor& x, int axis, const Tensor& indices) {
  return move(plan_index_select(x, axis, indices), x, indices, false);
}
Tensor index_add_reference(const Tensor& x, int axis, const Tensor& indices, std::int64_t extent) {
  return add(plan_index_add(x, axis, indices, extent), x, indices, false);
}
Tensor gather_reference(const Tensor& x, int axis, const Tensor& indices) {
  return move(plan_gather(x, axis, indices), x, indices, true);
}
Tensor scatter_add_reference(const Tensor& x, int axis, const Tensor& indices,
                             std::int64_t extent) {
  return add(plan_scatter_add(x, axis, indices, extent), x, indices, true);
}

}  // namespace imago::kernels
