// The CUDA chapters of conv2d, on raw device pointers. Arguments are validated (see conv2d.h for
// the shapes); the output is overwritten whole and overlaps no input. Work is put into the stream
// and nothing is waited for. A problem whose output is empty launches nothing.
#pragma once

#include "kernels/conv2d/conv2d.h"
#include "kernels/stream.h"

namespace imago::kernels {

// conv2d_1_naive.cu: every problem whose extents, padded extents and strides are below 2^30; T of
// f32, f64, bf16. Throws Error beyond that.
template <class T>
void conv2d_naive(Stream& stream, const Conv2dProblem& problem,
                  const T* x,  // (N, H, W, C)
                  const T* w,  // (K, R, S, C / groups)
                  T* y);       // (N, P, Q, K)
template <class T>
void conv2d_input_grad_naive(Stream& stream, const Conv2dProblem& problem,
                             const T* y,  // (N, P, Q, K)
                             const T* w,  // (K, R, S, C / groups)
                             T* x);       // (N, H, W, C)
// Out is T or acc_t<T>.
template <class T, class Out>
void conv2d_weight_grad_naive(Stream& stream, const Conv2dProblem& problem,
                              const T* x,  // (N, H, W, C)
                              const T* y,  // (N, P, Q, K)
                              Out* w);     // (K, R, S, C / groups)

}  // namespace imago::kernels
