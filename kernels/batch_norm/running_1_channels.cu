// Batch norm, chapter 4: running statistics, one thread a channel.
//
// The idea. These are a few operations on (C) numbers, and the only thing to be won is not to fetch
// them to the host, which would have to wait for the device. The groups of one batch update a
// channel one after another, in order, so a thread takes a whole channel:
//
//   thread c:   running[c] <- group 0 <- group 1 <- ...       mean[g, c], c fastest: whole lines
//
// The bottleneck is the launch, a few microseconds. A captured graph hides most of it.
//
// Limits. Groups follow one another, so many of them make a thread's walk long while few channels
// leave most of the device idle. Fewer than 2^38 channels: 2^31 blocks of 128.
#include <cmath>

#include "kernels/batch_norm/engines.h"
#include "kernels/launch.h"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 128;

template <class A>
__global__ void __launch_bounds__(block_size)
    update_running_kernel(std::int64_t groups, std::int64_t channels, A kept, A fresh, A bessel,
                          const A* mean, const A* var,        // (G, C)
                          A* running_mean, A* running_var) {  // (C)
  const std::int64_t c = global_thread();
  if (c >= channels) return;
  A m = running_mean[c], v = running_var[c];
  for (std::int64_t g = 0; g < groups; ++g) {
    m = kept * m + fresh * mean[g * channels + c];
    v = kept * v + fresh * (bessel * var[g * channels + c]);
  }
  running_mean[c] = m;
  running_var[c] = v;
}

template <class A>
__global__ void __launch_bounds__(block_size)
    invstd_kernel(std::int64_t channels, double eps, const A* var, A* invstd) {  // (C)
  const std::int64_t c = global_thread();
  if (c < channels) invstd[c] = static_cast<A>(1.0 / sqrt(static_cast<double>(var[c]) + eps));
}

}  // namespace

void update_running_cuda(const RunningUpdate& update, const Tensor& mean, const Tensor& var,
                         Tensor& running_mean, Tensor& running_var) {
  const char* op = "update_running";
  const std::int64_t groups = mean.size(0), channels = mean.size(1);
  if (channels == 0) return;
  dispatch<float, double>(mean.dtype(), op, [&]<class A> {
    launch<update_running_kernel<A>>(
        current_stream(), grid_for(op, channels, block_size), block_size, 0, groups, channels,
        static_cast<A>(update.kept), static_cast<A>(update.fresh), static_cast<A>(update.bessel),
        mean.device_data<A>(), var.device_data<A>(), running_mean.mutable_device_data<A>(),
        running_var.mutable_device_data<A>());
  });
}

void invstd_cuda(const Tensor& var, double eps, Tensor& invstd) {
  const char* op = "batch_norm_inference";
  dispatch<float, double>(var.dtype(), op, [&]<class A> {
    launch<invstd_kernel<A>>(current_stream(), grid_for(op, var.numel(), block_size), block_size, 0,
                             var.numel(), eps, var.device_data<A>(),
                             invstd.mutable_device_data<A>());
  });
}

}  // namespace imago::kernels
