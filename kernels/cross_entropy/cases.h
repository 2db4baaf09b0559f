// Cases that drive the tests and the bench of cross-entropy.
#pragma once

#include <cmath>
#include <vector>

#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/tolerance.h"

namespace imago::kernels {

struct CrossEntropyCase {
  Shape x;
  double smoothing = 0;
  bool ignores = false;  // every third row does not count

  CrossEntropyOptions options() const { return {.label_smoothing = smoothing}; }
  // Every class in turn, on the CPU.
  Tensor labels() const {
    Tensor labels = Tensor::empty({x[0]}, DType::i64, Device::cpu());
    std::int64_t* label = labels.mutable_data<std::int64_t>();
    for (std::int64_t i = 0; i < x[0]; ++i) {
      label[i] = ignores && i % 3 == 1 ? options().ignore_index : (i * 7 + 1) % x[1];
    }
    return labels;
  }
  // Largest errors for logits of `dtype`, of a loss and of gradients up to `largest`.
  double loss_tolerance(DType dtype, double loss) const {
    return 16 * epsilon(acc_dtype(dtype)) * (std::fabs(loss) + 10);
  }
  double grad_tolerance(DType dtype, double largest) const {
    return (epsilon(dtype) + 32 * epsilon(acc_dtype(dtype))) * largest;
  }
  // The logits are read and, by the gradient, something as large is written.
  double bytes(DType dtype, bool gradient) const {
    return (gradient ? 2.0 : 1.0) * static_cast<double>(x.numel()) *
           static_cast<double>(size_of(dtype));
  }
};

inline std::vector<CrossEntropyCase> cross_entropy_cases() {
  std::vector<CrossEntropyCase> cases;
  for (const Shape& x : {Shape{1, 1}, Shape{1, 5}, Shape{7, 10}, Shape{3, 131}, Shape{2, 1028},
                         Shape{3, 1500}, Shape{300, 3}}) {
    cases.push_back({x});
    cases.push_back({x, 0.25, true});
  }
  return cases;
}

}  // namespace imago::kernels
