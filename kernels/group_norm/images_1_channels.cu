// Group and instance norm, chapter 1: batch norm of every image, and what joins its channels.
//
// The idea. To batch norm an image is a group of rows with statistics of its own (stat_groups = N),
// so its kernels already find the moments of every channel of every image, map elements by numbers
// of their channel, and sum dy and dy (x - mean) over pixels. Between those passes over the tensor
// stand only small kernels that join the channels of a group, a warp for each group:
//
//   forward     x -> [batch norm: moments (N, C)] -> join -> mean, invstd (N, G), and for each
//               channel those of its group (N, C) -> [batch norm: apply] -> y
//   backward    dy, x -> [batch norm: sums (N, parts, C)] -> join -> slope, offset (N, C)
//               -> [batch norm: gradient] -> dx;   images in order -> dgamma, dbeta (C)
//
//   group 0  channels c0 .. c7    lanes 0..7 of warp 0 (wide groups: 32 channels at a time)
//   group 1  channels c8 .. c15   lanes 0..7 of warp 1
//
// With channel means m and variances v of a group, all of as many pixels, Chan's merge is
//   mean = average of m,   var = average of (v + (m - mean)^2),   in f64.
//
// The bottleneck is memory: 3 passes over tensors forward, 5 backward, of which the second reading
// of x (and dy) comes from the L2 cache where the tensors fit it. The joins are all latency, a few
// microseconds (predicted, not yet run on hardware).
//
// Limits. Those of batch norm's chapters; groups of few channels leave lanes of their warp idle.
#include <cmath>

#include "kernels/batch_norm/engines.h"
#include "kernels/group_norm/engines.h"
#include "kernels/reduce/teams.cuh"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

__device__ double add(double a, double b) {
  return a + b;
}

template <class A>
__global__ void __launch_bounds__(team_block)
    join_moments_kernel(std::int64_t groups, std::int64_t width, double eps, const A* means,
                        const A* vars,               // (groups, width), of channels
                        A* mean, A* invstd,          // (groups)
                        A* mean_of, A* invstd_of) {  // (groups, width)
  const std::int64_t group = team_row<32>(), lane = threadIdx.x % 32;
  if (group >= groups) return;
  const std::int64_t begin = group * width + lane, end = (group + 1) * width;
  const double channels = static_cast<double>(width);
  double sum = 0;
  for (std::int64_t c = begin; c < end; c += 32) sum += static_cast<double>(means[c]);
  const double centre = team_fold<32>(sum, add) / channels;
  sum = 0;
  for (std::int64_t c = begin; c < end; c += 32) {
    const double d = static_cast<double>(means[c]) - centre;
    sum += static_cast<double>(vars[c]) + d * d;
  }
  const double variance = team_fold<32>(sum, add) / channels;
  const A m = static_cast<A>(centre), s = static_cast<A>(1.0 / sqrt(variance + eps));
  for (std::int64_t c = begin; c < end; c += 32) mean_of[c] = m, invstd_of[c] = s;
  if (lane != 0) return;
  mean[group] = m;
  invstd[group] = s;
}

template <class A>
__global__ void __launch_bounds__(team_block)
    spread_kernel(std::int64_t channels, std::int64_t width, const A* mean,
                  const A* invstd,             // (groups)
                  A* mean_of, A* invstd_of) {  // (groups, width): `channels` elements
  const std::int64_t c = global_thread();
  if (c >= channels) return;
  mean_of[c] = mean[c / width];
  invstd_of[c] = invstd[c / width];
}

// Group `group` of all images; gamma is that of group % per_image.
template <class A>
__global__ void __launch_bounds__(team_block)
    join_sums_kernel(std::int64_t groups, std::int64_t per_image, std::int64_t width,
                     std::int64_t parts, double terms, const A* sums,
                     const A* sums_d,                  // (images, parts, channels)
                     const A* gamma, const A* invstd,  // (channels), (groups)
                     A* slope, A* offset,              // (images, channels)
                     A* total, A* total_d) {           // (images, channels)
  const std::int64_t group = team_row<32>(), lane = threadIdx.x % 32;
  if (group >= groups) return;
  const std::int64_t image = group / per_image, channels = per_image * width;
  const std::int64_t begin = group % per_image * width + lane;
  const std::int64_t end = (group % per_image + 1) * width;
  double a = 0, b = 0;
  for (std::int64_t c = begin; c < end; c += 32) {
    double sum = 0, sum_d = 0;
    for (std::int64_t part = 0; part < parts; ++part) {
      sum += static_cast<double>(sums[(image * parts + part) * channels + c]);
      sum_d += static_cast<double>(sums_d[(image * parts + part) * channels + c]);
    }
    total[image * channels + c] = static_cast<A>(sum);
    total_d[image * channels + c] = static_cast<A>(sum_d);
    a += static_cast<double>(gamma[c]) * sum;
    b += static_cast<double>(gamma[c]) * sum_d;
  }
  const double s = static_cast<double>(invstd[group]);
  const double of_group = -s * team_fold<32>(a, add) / terms;
  const double per_d = -s * s * s * team_fold<32>(b, add) / terms;
  for (std::int64_t c = begin; c < end; c += 32) {
    slope[image * channels + c] = static_cast<A>(per_d);
    offset[image * channels + c] = static_cast<A>(of_group);
  }
}

template <class A>
__global__ void __launch_bounds__(team_block)
    sum_parameters_kernel(std::int64_t images, std::int64_t channels,
                          const A* invstd_of,                // (images, channels)
                          const A* total, const A* total_d,  // (images, channels)
                          A* dgamma, A* dbeta) {             // (channels)
  const std::int64_t c = global_thread();
  if (c >= channels) return;
  double of_gamma = 0, of_beta = 0;
  for (std::int64_t at = c; at < images * channels; at += channels) {
    of_gamma += static_cast<double>(invstd_of[at]) * static_cast<double>(total_d[at]);
    of_beta += static_cast<double>(total[at]);
  }
  dgamma[c] = static_cast<A>(of_gamma);
  dbeta[c] = static_cast<A>(of_beta);
}

Tensor per_channel(const NormProblem& p, const Tensor& like) {
  return Tensor::empty({p.images, p.channels()}, like.dtype(), like.device());
}

}  // namespace

void normalise_images_cuda(const NormProblem& p, const Tensor& x, const Tensor& gamma,
                           const Tensor& beta, double eps, NormResult& out) {
  const BatchNormProblem channels{p.images, p.pixels, p.channels()};
  Tensor mean = per_channel(p, gamma), invstd = per_channel(p, gamma), var = per_channel(p, gamma);
  Tensor mean_of = per_channel(p, gamma), invstd_of = per_channel(p, gamma);
  batch_norm_statistics_cuda(channels, x, eps, mean, invstd, var);
  const std::int64_t groups = p.images * p.groups;
  dispatch<float, double>(gamma.dtype(), p.name, [&]<class A> {
    launch<join_moments_kernel<A>>(
        current_stream(), grid_for(p.name, groups * 32, team_block), team_block, 0, groups, p.width,
        eps, mean.device_data<A>(), var.device_data<A>(), out.mean.mutable_device_data<A>(),
        out.invstd.mutable_device_data<A>(), mean_of.mutable_device_data<A>(),
        invstd_of.mutable_device_data<A>());
  });
  batch_norm_apply_cuda(channels, x, gamma, beta, mean_of, invstd_of, 1.0, out.y);
}

void normalise_images_grad_cuda(const NormProblem& p, const Tensor& dy, const Tensor& x,
                                const Tensor& gamma, const Tensor& mean, const Tensor& invstd,
                                NormGrads& out) {
  const BatchNormProblem channels{p.images, p.pixels, p.channels()};
  const std::int64_t groups = p.images * p.groups, numbers = p.images * p.channels();
  Tensor mean_of = per_channel(p, gamma), invstd_of = per_channel(p, gamma);
  Tensor coefficients = Tensor::empty({2, p.images, p.channels()}, gamma.dtype(), gamma.device());
  Tensor totals = Tensor::empty_like(coefficients);
  dispatch<float, double>(gamma.dtype(), p.name, [&]<class A> {
    launch<spread_kernel<A>>(current_stream(), grid_for(p.name, numbers, team_block), team_block, 0,
                             numbers, p.width, mean.device_data<A>(), invstd.device_data<A>(),
                             mean_of.mutable_device_data<A>(), invstd_of.mutable_device_data<A>());
    // (2, images, parts, channels)
    const Tensor sums =
        batch_norm_grad_parts_cuda(channels, dy, x, gamma, gamma, mean_of, invstd_of, 1.0);
    const std::int64_t parts = sums.size(2);
    const A* sum = sums.device_data<A>();
    A* slope = coefficients.mutable_device_data<A>();
    A* total = totals.mutable_device_data<A>();
    launch<join_sums_kernel<A>>(current_stream(), grid_for(p.name, groups * 32, team_block),
                                team_block, 0, groups, p.groups, p.width, parts,
                                static_cast<double>(p.terms()), sum, sum + numbers * parts,
                                gamma.device_data<A>(), invstd.device_data<A>(), slope,
                                slope + numbers, total, total + numbers);
    batch_norm_grad_apply_cuda(channels, dy, x, gamma, gamma, mean_of, invstd_of, coefficients, 1.0,
                               out.dx);
    if (!out.dgamma.defined()) return;
    launch<sum_parameters_kernel<A>>(
        current_stream(), grid_for(p.name, p.channels(), team_block), team_block, 0, p.images,
        p.channels(), invstd_of.device_data<A>(), static_cast<const A*>(total),
        static_cast<const A*>(total + numbers), out.dgamma.mutable_device_data<A>(),
        out.dbeta.mutable_device_data<A>());
  });
}

}  // namespace imago::kernels
