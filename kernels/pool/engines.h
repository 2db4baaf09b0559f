// The engines of pooling, for pool.cpp. Arguments have been checked; results are allocated. Those
// of CUDA put their work into current_stream().
#pragma once

#include "kernels/pool/windows.h"

namespace imago::kernels {

// `taps` may be undefined: then it is not wanted.
void max_pool2d_cpu(const Pooling& pooling, const Tensor& x, Tensor& y, Tensor& taps);
void max_pool2d_grad_cpu(const Pooling& pooling, const Tensor& dy, const Tensor& taps, Tensor& dx);
void max_pool2d_pick_cpu(const Pooling& pooling, const Tensor& x, const Tensor& taps, Tensor& y);
void avg_pool2d_cpu(const Pooling& pooling, const Tensor& x, Tensor& y);
void avg_pool2d_grad_cpu(const Pooling& pooling, const Tensor& dy, Tensor& dx);

void max_pool2d_cuda(const Pooling& pooling, const Tensor& x, Tensor& y, Tensor& taps);
void max_pool2d_grad_cuda(const Pooling& pooling, const Tensor& dy, const Tensor& taps, Tensor& dx);
void max_pool2d_pick_cuda(const Pooling& pooling, const Tensor& x, const Tensor& taps, Tensor& y);
void avg_pool2d_cuda(const Pooling& pooling, const Tensor& x, Tensor& y);
void avg_pool2d_grad_cuda(const Pooling& pooling, const Tensor& dy, Tensor& dx);

}  // namespace imago::kernels
