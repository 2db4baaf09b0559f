// The specification of the normalisations within an image: sums one after another in f64, the data
// centred first.
#include <cmath>
#include <vector>

#include "kernels/group_norm/engines.h"

namespace imago::kernels {
namespace {

// Calls f(element, channel) for all elements of a group.
template <class F>
void for_group(const NormProblem& p, std::int64_t image, std::int64_t group, F&& f) {
  for (std::int64_t pixel = 0; pixel < p.pixels; ++pixel) {
    for (std::int64_t d = 0; d < p.width; ++d) {
      const std::int64_t channel = group * p.width + d;
      f((image * p.pixels + pixel) * p.channels() + channel, channel);
    }
  }
}

}  // namespace

void normalise_reference(const NormProblem& p, const Tensor& x, const Tensor& gamma,
                         const Tensor& beta, double eps, NormResult& out) {
  const auto terms = static_cast<double>(p.terms());
  dispatch<float, double, bf16>(x.dtype(), p.name, [&]<class T> {
    using A = acc_t<T>;
    const T* px = x.data<T>();
    const A *pg = gamma.data<A>(), *pb = beta.data<A>();
    T* py = out.y.mutable_data<T>();
    A *pm = out.mean.mutable_data<A>(), *ps = out.invstd.mutable_data<A>();
    for (std::int64_t i = 0; i < p.images * p.groups; ++i) {
      const std::int64_t image = i / p.groups, group = i % p.groups;
      double mean = 0, squares = 0;
      for_group(p, image, group,
                [&](std::int64_t e, std::int64_t) { mean += static_cast<double>(px[e]); });
      mean /= terms;
      for_group(p, image, group, [&](std::int64_t e, std::int64_t) {
        const double d = static_cast<double>(px[e]) - mean;
        squares += d * d;
      });
      pm[i] = static_cast<A>(mean);
      ps[i] = static_cast<A>(1 / std::sqrt(squares / terms + eps));
      for_group(p, image, group, [&](std::int64_t e, std::int64_t c) {
        const A d = static_cast<A>(px[e]) - pm[i];
        py[e] = static_cast<T>(d * (ps[i] * pg[c]) + pb[c]);
      });
    }
  });
}

void normalise_grad_reference(const NormProblem& p, const Tensor& dy, const Tensor& x,
                              const Tensor& gamma, const Tensor& mean, const Tensor& invstd,
                              NormGrads& out) {
  const auto channels = static_cast<std::size_t>(p.channels());
  const auto terms = static_cast<double>(p.terms());
  std::vector<double> dgamma(channels, 0.0), dbeta(channels, 0.0);
  dispatch<float, double, bf16>(x.dtype(), p.name, [&]<class T> {
    using A = acc_t<T>;
    const T *px = x.data<T>(), *pdy = dy.data<T>();
    const A *pg = gamma.data<A>(), *pm = mean.data<A>(), *ps = invstd.data<A>();
    T* pdx = out.dx.mutable_data<T>();
    for (std::int64_t i = 0; i < p.images * p.groups; ++i) {
      const double m = static_cast<double>(pm[i]), s = static_cast<double>(ps[i]);
      double a = 0, b = 0;
      const auto element = [&](std::int64_t e, std::int64_t c, double& g, double& d) {
        g = static_cast<double>(pdy[e]) * static_cast<double>(pg[c]);
        d = static_cast<double>(px[e]) - m;
      };
      double g = 0, d = 0;
      for_group(p, i / p.groups, i % p.groups, [&](std::int64_t e, std::int64_t c) {
        element(e, c, g, d);
        a += g;
        b += g * d;
        dgamma[static_cast<std::size_t>(c)] += static_cast<double>(pdy[e]) * d * s;
        dbeta[static_cast<std::size_t>(c)] += static_cast<double>(pdy[e]);
      });
      for_group(p, i / p.groups, i % p.groups, [&](std::int64_t e, std::int64_t c) {
        element(e, c, g, d);
        pdx[e] = static_cast<T>(static_cast<A>(s * (g - a / terms - d * s * s * b / terms)));
      });
    }
    for (std::size_t c = 0; out.dgamma.defined() && c < channels; ++c) {
      out.dgamma.mutable_data<A>()[c] = static_cast<A>(dgamma[c]);
      out.dbeta.mutable_data<A>()[c] = static_cast<A>(dbeta[c]);
    }
  });
}

}  // namespace imago::kernels
