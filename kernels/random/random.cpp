#include "kernels/random/random.h"

#include "kernels/cuda_build.h"
#include "kernels/parallel.h"
#include "kernels/random/engines.h"
#include "tensor/op_range.h"

namespace imago::kernels {
namespace {

constexpr std::int64_t grain = 4096;  // blocks of 4 elements one thread takes at a time

// `what` says which op of which draw, and dropout's p; x is undefined but for dropout.
void run_on_cpu(const char* name, const RandomCall& what, const Tensor& x, Tensor& out) {
  const std::int64_t n = out.numel();
  dispatch<float, double, bf16>(out.dtype(), name, [&]<class T> {
    const T* from = x.defined() ? x.data<T>() : nullptr;
    T* to = out.mutable_data<T>();
    parallel_ranges(ceil_div(n, 4), grain, [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t first = 4 * begin, last = 4 * end < n ? 4 * end : n;
      RandomCall part = what;
      part.dtype = dtype_of<T>();
      part.block = static_cast<std::uint64_t>(begin);
      part.count = last - first;
      part.out = to + first;
      if (from) part.x = from + first;
      run_random(part);
    });
  });
}

}  // namespace

Tensor normal(const Shape& shape, DType dtype, DrawKey key, Device device) {
  const OpRange range("normal", device);
  Tensor out = Tensor::empty(shape, dtype, device);
  if constexpr (cuda_build) {
    if (device.is_cuda()) {
      normal_philox(key, out);
      return out;
    }
  }
  run_on_cpu("normal", {.op = RandomOp::normal, .key = key}, {}, out);
  return out;
}

Tensor uniform(const Shape& shape, DType dtype, DrawKey key, Device device) {
  const OpRange range("uniform", device);
  Tensor out = Tensor::empty(shape, dtype, device);
  if constexpr (cuda_build) {
    if (device.is_cuda()) {
      uniform_philox(key, out);
      return out;
    }
  }
  run_on_cpu("uniform", {.op = RandomOp::uniform, .key = key}, {}, out);
  return out;
}

Tensor dropout(const Tensor& x, double p, DrawKey key) {
  check(x.defined(), "dropout", "the argument is undefined");
  check(p >= 0 && p < 1, "dropout", "the probability p lies in [0, 1), but it is ", p);
  const OpRange range("dropout", x.device());
  Tensor out = Tensor::empty_like(x);
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      dropout_philox(x, p, key, out);
      return out;
    }
  }
  run_on_cpu("dropout", {.op = RandomOp::dropout, .key = key, .p = p}, x, out);
  return out;
}

}  // namespace imago::kernels
