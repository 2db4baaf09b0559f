// What a machine can do at most, and the least time a problem takes there: its floor.
//
// A GPU's ceilings are those of its kind, from the table below; nothing is known of others, where
// the rate of a copy is measured and figures of arithmetic have no floor. The CPU's are measured
// next to what is compared with them, as they change with clocks and neighbours.
#pragma once

#include <algorithm>
#include <limits>
#include <string>

#include "kernels/conv2d/cases.h"
#include "tensor/dtype.h"

namespace imago::bench {

struct Ceilings {
  double flops = std::numeric_limits<double>::infinity();  // per second
  double bytes = std::numeric_limits<double>::infinity();  // per second, read and written
  // Of SIMD code other than fused multiply-adds, counted per element, per second.
  double instructions = std::numeric_limits<double>::infinity();

  // In seconds; 0 where no ceiling is known.
  double floor(double work_flops, double work_bytes, double work_instructions = 0) const {
    return std::max({work_flops / flops, work_bytes / bytes, work_instructions / instructions});
  }
};

struct GpuKind {
  const char* name;  // part of what the driver calls it
  double bytes;      // of a large copy, read and written
  double f32, f64;   // without tensor cores
  double bf16;       // with tensor cores
};

inline constexpr GpuKind gpu_kinds[] = {
    // Copy and bf16: measured with random data. f32 and f64: the datasheet's.
    {"H200", 4.3e12, 67e12, 34e12, 790e12},
};

// nullptr for a GPU that is not in the table. `description` is that of tensor/device.h.
inline const GpuKind* gpu_kind(const std::string& description) {
  for (const GpuKind& kind : gpu_kinds) {
    if (description.find(kind.name) != std::string::npos) return &kind;
  }
  return nullptr;
}

inline Ceilings ceilings_of(const GpuKind& kind, DType dtype) {
  return {.flops = dtype == DType::f64    ? kind.f64
                   : dtype == DType::bf16 ? kind.bf16
                                          : kind.f32,
          .bytes = kind.bytes};
}

// Bytes that a pass of a convolution must move: every operand once. The gradient of weights is
// written in acc_t.
inline double pass_bytes(const kernels::Conv2dCase& c, kernels::Conv2dPass pass, DType dtype) {
  if (pass != kernels::Conv2dPass::weight_grad) return c.bytes(dtype);
  const auto extra = size_of(acc_dtype(dtype)) - size_of(dtype);
  return c.bytes(dtype) + static_cast<double>(c.w().numel()) * static_cast<double>(extra);
}

}  // namespace imago::bench
