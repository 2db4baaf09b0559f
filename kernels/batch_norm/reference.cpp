// The specification of batch norm. Sums are kept in f64 whatever the dtype; what a caller sees
// (statistics, y, gradients) is rounded to its own type at the end.
#include <cmath>
#include <vector>

#include "kernels/batch_norm/engines.h"

namespace imago::kernels {

namespace {

// The normalised, scaled and shifted value. Forward and backward call this one function, so that
// the backward pass sees the sign the forward pass saw.
template <class A>
A pre_activation(A x, A mean, A scale, A beta) {
  return (x - mean) * scale + beta;
}

template <class T>
void forward_apply(const BatchNormProblem& p, const Tensor& x, const Tensor& gamma,
                   const Tensor& beta, const Tensor& mean, const Tensor& invstd, double slope,
                   Tensor& y) {
  using A = acc_t<T>;
  const T* px = x.data<T>();
  const A* pg = gamma.data<A>();
  const A* pb = beta.data<A>();
  T* py = y.mutable_data<T>();
  for (std::int64_t g = 0; g < p.groups; ++g) {
    const A* m = mean.data<A>() + g * p.channels;
    const A* s = invstd.data<A>() + g * p.channels;
    for (std::int64_t row = g * p.rows; row < (g + 1) * p.rows; ++row) {
      for (std::int64_t c = 0; c < p.channels; ++c) {
        const A value = static_cast<A>(px[row * p.channels + c]);
        const A z = pre_activation<A>(value, m[c], pg[c] * s[c], pb[c]);
        py[row * p.channels + c] = static_cast<T>(z > 0 ? z : static_cast<A>(slope) * z);
      }
    }
  }
}

}  // namespace

void batch_norm_apply_reference(const BatchNormProblem& problem, const Tensor& x,
                                const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                                const Tensor& invstd, double slope, Tensor& y) {
  dispatch<float, double, bf16>(x.dtype(), "batch_norm", [&]<class T>() {
    forward_apply<T>(problem, x, gamma, beta, mean, invstd, slope, y);
  });
}

void batch_norm_reference(const BatchNormProblem& problem, const Tensor& x, const Tensor& gamma,
                          const Tensor& beta, double eps, double slope, BatchNormResult& out) {
  const auto [groups, rows, channels] = problem;
  dispatch<float, double, bf16>(x.dtype(), "batch_norm", [&]<class T>() {
    using A = acc_t<T>;
    const T* px = x.data<T>();
    A* pm = out.mean.mutable_data<A>();
    A* pv = out.var.mutable_data<A>();
    A* ps = out.invstd.mutable_data<A>();
    const auto width = static_cast<std::size_t>(channels);
    for (std::int64_t g = 0; g < groups; ++g) {
      // Two passes: the squares are of values already centred, so nothing cancels.
      std::vector<double> mean(width, 0.0), squares(width, 0.0);
      for (std::int64_t row = g * rows; row < (g + 1) * rows; ++row)
        for (std::int64_t c = 0; c < channels; ++c)
          mean[static_cast<std::size_t>(c)] += static_cast<double>(px[row * channels + c]);
      for (double& m : mean) m /= static_cast<double>(rows);
      for (std::int64_t row = g * rows; row < (g + 1) * rows; ++row)
        for (std::int64_t c = 0; c < channels; ++c) {
          const auto i = static_cast<std::size_t>(c);
          const double d = static_cast<double>(px[row * channels + c]) - mean[i];
          squares[i] += d * d;
        }
      for (std::int64_t c = 0; c < channels; ++c) {
        const auto i = static_cast<std::size_t>(c);
        const double var = squares[i] / static_cast<double>(rows);
        pm[g * channels + c] = static_cast<A>(mean[i]);
        pv[g * channels + c] = static_cast<A>(var);
        ps[g * channels + c] = static_cast<A>(1.0 / std::sqrt(var + eps));
      }
    }
  });
  batch_norm_apply_reference(problem, x, gamma, beta, out.mean, out.invstd, slope, out.y);
}

void batch_norm_grad_reference(const BatchNormProblem& problem, const Tensor& dy, const Tensor& x,
                               const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                               const Tensor& invstd, double slope, BatchNormGrads& out) {
  const auto [groups, rows, channels] = problem;
  dispatch<float, double, bf16>(x.dtype(), "batch_norm_grad", [&]<class T>() {
    using A = acc_t<T>;
    const T* px = x.data<T>();
    const T* pdy = dy.data<T>();
    const A* pg = gamma.data<A>();
    const A* pb = beta.data<A>();
    T* pdx = out.dx.mutable_data<T>();
    A* pdg = out.dgamma.mutable_data<A>();
    A* pdb = out.dbeta.mutable_data<A>();
    for (std::int64_t c = 0; c < channels; ++c) {
      double dgamma = 0, dbeta = 0;
      for (std::int64_t g = 0; g < groups; ++g) {
        const A m = mean.data<A>()[g * channels + c];
        const A s = invstd.data<A>()[g * channels + c];
        const A scale = pg[c] * s;
        // The gradient at the value before the activation.
        const auto dz = [&](std::int64_t i) {
          const A z = pre_activation<A>(static_cast<A>(px[i]), m, scale, pb[c]);
          const A d = static_cast<A>(pdy[i]);
          return z > 0 ? d : static_cast<A>(slope) * d;
        };
        const auto xhat = [&](std::int64_t i) {
          return (static_cast<double>(px[i]) - static_cast<double>(m)) * static_cast<double>(s);
        };
        const std::int64_t begin = g * rows * channels + c, end = begin + rows * channels;
        double sum_dz = 0, sum_dz_xhat = 0;
        for (std::int64_t i = begin; i < end; i += channels) {
          sum_dz += static_cast<double>(dz(i));
          sum_dz_xhat += static_cast<double>(dz(i)) * xhat(i);
        }
        const double mean_dz = sum_dz / static_cast<double>(rows);
        const double mean_dz_xhat = sum_dz_xhat / static_cast<double>(rows);
        for (std::int64_t i = begin; i < end; i += channels) {
          const double centred = static_cast<double>(dz(i)) - mean_dz - xhat(i) * mean_dz_xhat;
          pdx[i] = static_cast<T>(static_cast<A>(static_cast<double>(scale) * centred));
        }
        dbeta += sum_dz;
        dgamma += sum_dz_xhat;
      }
      pdg[c] = static_cast<A>(dgamma);
      pdb[c] = static_cast<A>(dbeta);
    }
  });
}

}  // namespace imago::kernels
