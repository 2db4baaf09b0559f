// Layer norm, chapter 1: a team of threads for each row.
//
// The idea. What batch norm finds along columns, layer norm finds along rows: mean and variance of
// contiguous elements. A row is looked at three times forward (mean; squares of deviations from
// that mean; result) and twice backward (two sums; result), but comes from memory once: 8 rows of
// up to 1024 elements (a warp each), or one long row of a block, stay in the L1 cache of the SM.
// kernels/reduce/teams.cuh has the map of threads to elements:
//
//   row 0   | w0 w0 w0 ... w0 |    sum of x - x[0]       -> mean        5 exchanges in the warp
//   row 1   | w1 w1 w1 ... w1 |    sum of (x - mean)^2   -> variance    5 exchanges
//   ...                            y = (x - mean) invstd gamma + beta
//
// Deviations are taken from x[0] first and from the mean then, so a mean that is large against the
// spread cancels nothing; what the mean lost to rounding comes back from the sum of the deviations.
//
// The bottleneck is memory: one read and one write (gradient: two reads). gamma and beta are read
// by every row, from the caches (predicted at over 80% of copy bandwidth for rows of 128 bytes to
// 4 KB in f32; not yet run on hardware).
//
// Limits. Rows beyond some 100 KB are read again from the L2 cache; few long rows leave SMs idle.
#include <cmath>

#include "kernels/group_norm/engines.h"
#include "kernels/reduce/teams.cuh"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

template <class T, int team>
__global__ void __launch_bounds__(team_block)
    norm_rows_kernel(std::int64_t rows, std::int64_t groups, std::int64_t width, bool packed,
                     double eps,
                     const T* x,                                   // (rows, width)
                     const acc_t<T>* gamma, const acc_t<T>* beta,  // (groups, width)
                     acc_t<T>* means, acc_t<T>* invstds,           // (rows)
                     T* y) {                                       // (rows, width)
  using A = acc_t<T>;
  constexpr int lanes = Pack<T>::lanes;
  const std::int64_t row = team_row<team>();
  if (row >= rows) return;
  x += row * width, y += row * width;
  gamma += row % groups * width, beta += row % groups * width;
  const auto walk = [&](auto&& f) {
    walk_row<team, lanes>(width, packed, [&]<int n>(std::int64_t i) {
      const auto pack = load_as<Pack<T, n>>(x + i);
      for (int l = 0; l < n; ++l) f(static_cast<A>(pack.lane[l]));
    });
  };
  const auto plus = [](A a, A b) { return a + b; };
  const A terms = static_cast<A>(width), origin = static_cast<A>(x[0]);

  A sum = 0;
  walk([&](A v) { sum += v - origin; });
  const A centre = origin + team_fold<team>(sum, plus) / terms;
  A rest = 0, squares = 0;
  walk([&](A v) {
    const A d = v - centre;
    rest += d;
    squares = fma(d, d, squares);
  });
  rest = team_fold<team>(rest, plus) / terms;
  squares = team_fold<team>(squares, plus) / terms - rest * rest;
  const double variance = squares < 0 ? 0.0 : static_cast<double>(squares);
  const A mean = centre + rest, invstd = static_cast<A>(1.0 / sqrt(variance + eps));
  walk_row<team, lanes>(width, packed, [&]<int n>(std::int64_t i) {
    auto pack = load_as<Pack<T, n>>(x + i);
    for (int l = 0; l < n; ++l) {
      const A d = static_cast<A>(pack.lane[l]) - mean;
      pack.lane[l] = static_cast<T>(fma(d, invstd * gamma[i + l], beta[i + l]));
    }
    store_as(y + i, pack);
  });
  if (threadIdx.x % team != 0) return;
  means[row] = mean;
  invstds[row] = invstd;
}

template <class T, int team>
__global__ void __launch_bounds__(team_block)
    norm_rows_grad_kernel(std::int64_t rows, std::int64_t groups, std::int64_t width, bool packed,
                          const T* dy, const T* x,                         // (rows, width)
                          const acc_t<T>* gamma,                           // (groups, width)
                          const acc_t<T>* means, const acc_t<T>* invstds,  // (rows)
                          T* dx) {                                         // (rows, width)
  using A = acc_t<T>;
  constexpr int lanes = Pack<T>::lanes;
  const std::int64_t row = team_row<team>();
  if (row >= rows) return;
  dy += row * width, x += row * width, dx += row * width, gamma += row % groups * width;
  const A mean = means[row], invstd = invstds[row], terms = static_cast<A>(width);
  A sum = 0, products = 0;
  walk_row<team, lanes>(width, packed, [&]<int n>(std::int64_t i) {
    const auto value = load_as<Pack<T, n>>(x + i), gradient = load_as<Pack<T, n>>(dy + i);
    for (int l = 0; l < n; ++l) {
      const A g = static_cast<A>(gradient.lane[l]) * gamma[i + l];
      sum += g;
      products = fma(g, static_cast<A>(value.lane[l]) - mean, products);
    }
  });
  const auto plus = [](A a, A b) { return a + b; };
  const A offset = -invstd * team_fold<team>(sum, plus) / terms;
  const A slope = -invstd * invstd * invstd * team_fold<team>(products, plus) / terms;
  walk_row<team, lanes>(width, packed, [&]<int n>(std::int64_t i) {
    auto value = load_as<Pack<T, n>>(x + i);
    const auto gradient = load_as<Pack<T, n>>(dy + i);
    for (int l = 0; l < n; ++l) {
      const A d = static_cast<A>(value.lane[l]) - mean;
      const A g = static_cast<A>(gradient.lane[l]);
      value.lane[l] = static_cast<T>(fma(g, gamma[i + l] * invstd, fma(d, slope, offset)));
    }
    store_as(dx + i, value);
  });
}

}  // namespace

void normalise_rows_cuda(const NormProblem& p, const Tensor& x, const Tensor& gamma,
                         const Tensor& beta, double eps, NormResult& out) {
  const std::int64_t rows = p.images * p.groups;
  dispatch<float, double, bf16>(x.dtype(), p.name, [&]<class T> {
    using A = acc_t<T>;
    const T* px = x.device_data<T>();
    T* py = out.y.mutable_device_data<T>();
    const bool packed =
        rows_packed(p.width, misalignment16(px) | misalignment16(py), Pack<T>::lanes);
    with_team(p.width, [&]<int team> {
      launch<norm_rows_kernel<T, team>>(current_stream(), grid_for(p.name, rows * team, team_block),
                                        team_block, sizeof(TeamBlock<A>), rows, p.groups, p.width,
                                        packed, eps, px, gamma.device_data<A>(),
                                        beta.device_data<A>(), out.mean.mutable_device_data<A>(),
                                        out.invstd.mutable_device_data<A>(), py);
    });
  });
}

void normalise_rows_grad_cuda(const NormProblem& p, const Tensor& dy, const Tensor& x,
                              const Tensor& gamma, const Tensor& mean, const Tensor& invstd,
                              Tensor& dx) {
  const std::int64_t rows = p.images * p.groups;
  dispatch<float, double, bf16>(x.dtype(), p.name, [&]<class T> {
    using A = acc_t<T>;
    const T *px = x.device_data<T>(), *pdy = dy.device_data<T>();
    T* pdx = dx.mutable_device_data<T>();
    const std::size_t address = misalignment16(px) | misalignment16(pdy) | misalignment16(pdx);
    const bool packed = rows_packed(p.width, address, Pack<T>::lanes);
    with_team(p.width, [&]<int team> {
      launch<norm_rows_grad_kernel<T, team>>(
          current_stream(), grid_for(p.name, rows * team, team_block), team_block,
          sizeof(TeamBlock<A>), rows, p.groups, p.width, packed, pdy, px, gamma.device_data<A>(),
          mean.device_data<A>(), invstd.device_data<A>(), pdx);
    });
  });
}

}  // namespace imago::kernels
