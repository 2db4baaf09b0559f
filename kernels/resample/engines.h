// The engines of resampling, for resample.cpp. Arguments have been checked; results are allocated.
//
// Forward and adjoint are one computation: along an axis, a place of the result is a sum over a
// range of neighbouring places of the source, each with its weight. Only the ranges and weights
// differ.
#pragma once

#include "kernels/resample/weights.h"

namespace imago::kernels {

// One axis and the direction it is walked in.
struct AxisGather {
  ResampleAxis axis;
  bool adjoint;  // from `out` places to `in` places

  constexpr std::int64_t results() const { return adjoint ? axis.in : axis.out; }
  constexpr std::int64_t most() const {
    return adjoint ? axis.most_targets() : axis.most_sources();
  }
  constexpr PlaceRange range(std::int64_t place) const {
    return adjoint ? axis.targets(place) : axis.sources(place);
  }
  template <class A>
  constexpr A weight(std::int64_t place, std::int64_t source) const {
    return adjoint ? axis.weight<A>(source, place) : axis.weight<A>(place, source);
  }
};

void resample_cpu(const AxisGather& rows, const AxisGather& columns, const Tensor& x, Tensor& out);
void resample_cuda(const char* op, const AxisGather& rows, const AxisGather& columns,
                   const Tensor& x, Tensor& out);

}  // namespace imago::kernels
