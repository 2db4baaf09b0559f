// The directions in which the rows of a matrix vary most: for models/classical_faces.h.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace imago::models {

struct PrincipalAxes {
  Tensor axes;       // (K, D) f32 on the CPU: orthogonal rows of length 1, the most variance first;
                     // the largest element of each (in magnitude, the first of equals) is positive
  Tensor variances;  // (K) f32, falling: of the rows along each axis, divided by N - 1
  double total = 0;  // variance in all directions
};

enum class AxesMethod {
  // All eigenvectors of the smaller of x^T x (D, D) and x x^T (N, N), formed and solved in f64.
  direct,
  // Subspace iteration (Halko, Martinsson & Tropp 2011, "Finding structure with randomness", SIAM
  // Review 53(2), arXiv 0909.4061, algorithm 4.4) with 2 K + 10 vectors: products of x in f32,
  // orthogonalisation and the small eigenproblem in f64. Starts from fixed random vectors, so its
  // result is a function of x. An axis k is off by about (variance of axis 2 K + 11 / that of
  // axis k)^10, which is much only where many directions have almost the same variance.
  iterated,
};

// Solving a whole eigenproblem takes time in the cube of its size: up to 512 rows or columns it is
// solved directly.
AxesMethod axes_method(std::int64_t rows, std::int64_t columns);

// Of centred rows x (N, D) f32 on the CPU, N >= 2. K is `most` (>= 1), or fewer where there are no
// more directions whose variance is above 1e-8 of the first one's. Deterministic, for any number of
// threads. Throws, naming op, when all of x is 0.
PrincipalAxes principal_axes(const char* op, const Tensor& centred, std::int64_t most,
                             AxesMethod method);

}  // namespace imago::models
