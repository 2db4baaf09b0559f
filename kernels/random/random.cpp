#include "kernels/random/random.h"

#include <algorithm>

#include "kernels/cuda_build.h"
#include "kernels/parallel.h"
#include "kernels/random/engines.h"
#include "tensor/op_range.h"

namespace imago::kernels {
namespace {

constexpr std::int64_t grain = 4096;  // blocks of 4 elements one thread takes at a time

// Calls element(i, value) for the elements of blocks [begin, end) below n.
// block(b) gives four values.
template <class Block, class Element>
void each_of_blocks(std::int64_t begin, std::int64_t end, std::int64_t n, Block&& block,
                    Element&& element) {
  for (std::int64_t b = begin; b < end; ++b) {
    const std::array<float, 4> values = block(static_cast<std::uint64_t>(b));
    const std::int64_t count = std::min<std::int64_t>(4, n - 4 * b);
    for (std::int64_t j = 0; j < count; ++j) {
      element(4 * b + j, values[static_cast<std::size_t>(j)]);
    }
  }
}

template <class Block>
void draw(const char* op, Tensor& out, Block&& block) {
  const std::int64_t n = out.numel();
  dispatch<float, double, bf16>(out.dtype(), op, [&]<class T> {
    T* p = out.mutable_data<T>();
    parallel_ranges(ceil_div(n, 4), grain, [&](std::int64_t begin, std::int64_t end) {
      each_of_blocks(begin, end, n, block,
                     [&](std::int64_t i, float value) { p[i] = static_cast<T>(value); });
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
  draw("normal", out, [=](std::uint64_t b) { return normal_block(key, b); });
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
  draw("uniform", out, [=](std::uint64_t b) { return uniform_block(key, b); });
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
  const std::int64_t n = x.numel();
  // Made here because g++ 12 loses the key when it is captured inside the lambdas below.
  const auto block = [key](std::uint64_t b) { return uniform_block(key, b); };
  dispatch<float, double, bf16>(x.dtype(), "dropout", [&]<class T> {
    using A = acc_t<T>;
    const T* px = x.data<T>();
    T* po = out.mutable_data<T>();
    const A factor = static_cast<A>(1.0 / (1.0 - p));
    const auto threshold = static_cast<float>(p);
    parallel_ranges(ceil_div(n, 4), grain, [&](std::int64_t begin, std::int64_t end) {
      each_of_blocks(begin, end, n, block, [&](std::int64_t i, float u) {
        po[i] =
            u >= threshold ? static_cast<T>(static_cast<A>(px[i]) * factor) : static_cast<T>(A(0));
      });
    });
  });
  return out;
}

}  // namespace imago::kernels
