// What a tiled product multiplies. A product out[m, n] = sum over k of a[m, k] * b[k, n] is run by
// the tile loops of shared_tiles.cuh and register_tiles.cuh, which know nothing about memory: they
// ask an operand for its elements. A matrix is one kind of operand (here); the windows of an image
// are another (kernels/conv2d/gather.cuh), and that is all that makes a convolution of a product.
//
// An operand is a struct with
//   Element       the type in memory
//   lanes         how many neighbouring elements one load brings: 1, or 16 bytes' worth
//   along_k       whether neighbours in memory follow each other along k, or along m (or n)
//   outer(i)      what is to be known of row m = i of a (column n = i of b); a thread asks for its
//                 own rows once, before the loop over k
//   inner(k)      what is to be known of depth k; asked for in every step
//   load(outer, inner) -> Lanes<Element, lanes>      0 where k lies past the end; where i does,
//                 anything that may be read, because such rows are not stored
// so that divisions are done once for a row or once for a step, never once for an element.
//
// Offsets are 32-bit: an operand and what it reaches over at its edges has less than 2^30 elements.
#pragma once

#include <algorithm>

#include "kernels/divisor.h"
#include "kernels/launch.h"

namespace imago::kernels {

// Elements that move together. One access when `count` of them are 16 bytes.
template <class T, int count>
struct alignas(sizeof(T) * count) Lanes {
  T lane[count];
};

// A row-major matrix with `stride` elements from one line to the next. Its lines run along k, so
// that element (i, k) lies at i * stride + k, or along i: element (i, k) at k * stride + i.
template <class T, int lanes_, bool along_k_>
struct Matrix {
  using Element = T;
  static constexpr int lanes = lanes_;
  static constexpr bool along_k = along_k_;

  const T* data;
  int outers, depth;  // i < outers, k < depth
  int stride;

  // Offsets: past the last row that of the last one, past the last depth -1.
  __device__ int outer(int i) const {
    const int row = std::min(i, outers - (along_k ? 1 : lanes));
    return along_k ? row * stride : row;
  }
  __device__ int inner(int k) const { return k < depth ? (along_k ? k : k * stride) : -1; }
  __device__ Lanes<T, lanes> load(int outer, int inner) const {
    if (inner < 0) return {};
    return load_as<Lanes<T, lanes>>(data + (outer + inner));
  }
};

// From one product of a batch to the next, in elements; 0 for an operand that all of them share.
struct BatchSteps {
  std::int64_t a, b, c;

  // Turns the operands and the result of the first product into those of another.
  template <class A, class B, class C>
  __device__ void advance(int product, A& of_a, B& of_b, C& of_c) const {
    of_a.data += product * a;
    of_b.data += product * b;
    of_c.out += product * c;
  }
};

// Where a product goes: row m of the result starts at `out + row(m)` and has `columns` elements.
// A sink is a struct with these three members; row(m) is -1 past the last row.
template <class T>
struct RowMajor {
  T* out;  // (rows, columns)
  int rows, columns;

  __device__ int row(int m) const { return m < rows ? m * columns : -1; }
};

}  // namespace imago::kernels
