#include "kernels/random/random.h"

#include <algorithm>

#include "kernels/parallel.h"

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

std::array<float, 4> uniform_block(DrawKey key, std::uint64_t b) {
  const PhiloxBlock words = draw_block(key, b);
  return {uniform_from_bits(words.v[0]), uniform_from_bits(words.v[1]),
          uniform_from_bits(words.v[2]), uniform_from_bits(words.v[3])};
}

template <class Block>
Tensor draw(const char* op, const Shape& shape, DType dtype, Block&& block) {
  Tensor out = Tensor::empty(shape, dtype);
  require_device(op, out.device());
  const std::int64_t n = out.numel();
  dispatch<float, double, bf16>(dtype, op, [&]<class T> {
    T* p = out.mutable_data<T>();
    parallel_ranges(ceil_div(n, 4), grain, [&](std::int64_t begin, std::int64_t end) {
      each_of_blocks(begin, end, n, block,
                     [&](std::int64_t i, float value) { p[i] = static_cast<T>(value); });
    });
  });
  return out;
}

}  // namespace

Tensor normal(const Shape& shape, DType dtype, DrawKey key) {
  return draw("normal", shape, dtype, [=](std::uint64_t b) { return normal_block(key, b); });
}

Tensor uniform(const Shape& shape, DType dtype, DrawKey key) {
  return draw("uniform", shape, dtype, [=](std::uint64_t b) { return uniform_block(key, b); });
}

Tensor dropout(const Tensor& x, double p, DrawKey key) {
  check(x.defined(), "dropout", "the argument is undefined");
  check(p >= 0 && p < 1, "dropout", "the probability p lies in [0, 1), but it is ", p);
  require_device("dropout", x.device());
  Tensor out = Tensor::empty_like(x);
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
