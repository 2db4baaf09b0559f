// The specifications of resample.h: weights by their formula, sums one term after another.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "kernels/resample/resample.h"

namespace imago::kernels {
namespace {

using Index = std::int64_t;

template <class A>
struct Term {
  Index from;
  A weight;
};

// What each place along an axis is the sum of.
template <class A>
using Terms = std::vector<std::vector<Term<A>>>;

// `terms[i]` of the `out` places that `in` places are resampled to; or, for the adjoint, `terms[j]`
// of the `in` places.
template <class A>
Terms<A> terms_of(Index in, Index out, Filter filter, bool adjoint) {
  Terms<A> terms(static_cast<std::size_t>(adjoint ? in : out));
  const auto add = [&](Index i, Index j, A weight) {
    const Index to = adjoint ? j : i, from = adjoint ? i : j;
    terms[static_cast<std::size_t>(to)].push_back({from, weight});
  };
  for (Index i = 0; i < out; ++i) {
    if (filter == Filter::nearest) {
      add(i, (2 * i + 1) * in / (2 * out), A(1));
      continue;
    }
    const Index m = filter == Filter::bilinear_antialias ? std::max(in, out) : out;
    const auto triangle = [&](Index j) {
      return std::max<Index>(0, 2 * m - std::abs((2 * j + 1) * out - (2 * i + 1) * in));
    };
    Index total = 0;
    for (Index j = 0; j < in; ++j) total += triangle(j);
    for (Index j = 0; j < in; ++j) {
      if (triangle(j) > 0) add(i, j, static_cast<A>(triangle(j)) / static_cast<A>(total));
    }
  }
  return terms;
}

// The sum of weight * value(from); nothing is 0.
template <class A, class F>
A sum_of(const std::vector<Term<A>>& terms, F&& value) {
  A sum = 0;
  bool first = true;
  for (const Term<A>& term : terms) {
    const A product = term.weight * value(term.from);
    sum = first ? product : sum + product;
    first = false;
  }
  return sum;
}

// Columns outside, rows inside.
template <class T>
void gather(const Tensor& x, Tensor& out, const Terms<acc_t<T>>& rows,
            const Terms<acc_t<T>>& columns) {
  using A = acc_t<T>;
  const T* from = x.data<T>();
  T* to = out.mutable_data<T>();
  const Index H = x.size(1), W = x.size(2), C = x.size(3);
  for (Index n = 0; n < out.size(0); ++n)
    for (const auto& row : rows)
      for (const auto& column : columns)
        for (Index c = 0; c < C; ++c) {
          const A sum = sum_of<A>(column, [&](Index k) {
            return sum_of<A>(
                row, [&](Index l) { return static_cast<A>(from[((n * H + l) * W + k) * C + c]); });
          });
          *to++ = static_cast<T>(row.empty() ? A(0) : sum);
        }
}

}  // namespace

Tensor resample_reference(const Tensor& x, std::int64_t height, std::int64_t width, Filter filter) {
  Tensor out = Tensor::empty({x.size(0), height, width, x.size(3)}, x.dtype(), Device::cpu());
  if (x.dtype() == DType::u8) {  // nearest neighbours only
    const std::uint8_t* from = x.data<std::uint8_t>();
    std::uint8_t* to = out.mutable_data<std::uint8_t>();
    const auto rows = terms_of<float>(x.size(1), height, filter, false);
    const auto columns = terms_of<float>(x.size(2), width, filter, false);
    for (Index n = 0; n < x.size(0); ++n)
      for (const auto& row : rows)
        for (const auto& column : columns)
          for (Index c = 0; c < x.size(3); ++c) {
            const Index pixel = (n * x.size(1) + row[0].from) * x.size(2) + column[0].from;
            *to++ = from[pixel * x.size(3) + c];
          }
    return out;
  }
  dispatch<float, double, bf16>(x.dtype(), "resample", [&]<class T> {
    using A = acc_t<T>;
    gather<T>(x, out, terms_of<A>(x.size(1), height, filter, false),
              terms_of<A>(x.size(2), width, filter, false));
  });
  return out;
}

Tensor resample_grad_reference(const Tensor& dy, std::int64_t height, std::int64_t width,
                               Filter filter) {
  Tensor out = Tensor::empty({dy.size(0), height, width, dy.size(3)}, dy.dtype(), Device::cpu());
  dispatch<float, double, bf16>(dy.dtype(), "resample_grad", [&]<class T> {
    using A = acc_t<T>;
    gather<T>(dy, out, terms_of<A>(height, dy.size(1), filter, true),
              terms_of<A>(width, dy.size(2), filter, true));
  });
  return out;
}

}  // namespace imago::kernels
