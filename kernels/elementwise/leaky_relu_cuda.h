// The CUDA chapter of leaky_relu, on raw device pointers. Work is put into the stream and nothing
// is waited for; no elements launch nothing. Pointers may start at any element of an allocation.
// T of f32, f64, bf16; bf16 is computed in f32 and rounded once.
#pragma once

#include <cstdint>

#include "tensor/dtype.h"
#include "tensor/stream.h"

namespace imago::kernels {

// y = x > 0 ? x : slope * x. y may be x.
template <class T>
void leaky_relu_vector(Stream& stream, std::int64_t count, acc_t<T> slope,
                       const T* x,  // (count)
                       T* y);       // (count)

// dx = x > 0 ? dy : slope * dy: the gradient with respect to x. dx may be x or dy.
template <class T>
void leaky_relu_grad_vector(Stream& stream, std::int64_t count, acc_t<T> slope,
                            const T* x,   // (count)
                            const T* dy,  // (count)
                            T* dx);       // (count)

}  // namespace imago::kernels
