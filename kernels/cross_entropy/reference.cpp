// The specification of cross-entropy.
#include <cmath>

#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/softmax/softmax.h"

namespace imago::kernels {

CrossEntropyValues cross_entropy_reference(const Tensor& logits, const Tensor& labels,
                                           const CrossEntropyOptions& options) {
  const std::int64_t rows = logits.size(0), classes = logits.size(1);
  const Tensor log_probabilities = softmax_reference(Softmax::log_softmax, logits, logits, 1);
  const double* log_p = log_probabilities.data<double>();
  const std::int64_t* label = labels.data<std::int64_t>();
  double counted = 0, loss = 0;
  for (std::int64_t i = 0; i < rows; ++i) counted += label[i] != options.ignore_index;
  CrossEntropyValues out{{}, Tensor::empty_like(logits)};
  double* dx = out.dx.mutable_data<double>();
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t k = 0; k < classes; ++k) {
      double& gradient = dx[i * classes + k];
      gradient = 0;
      if (label[i] == options.ignore_index) continue;
      const double value = log_p[i * classes + k];
      const double kept = k == label[i] ? 1 - options.label_smoothing : 0;
      const double q = kept + options.label_smoothing / static_cast<double>(classes);
      if (q > 0) loss -= q * value;  // a class of no share may be impossible
      gradient = (std::exp(value) - q) / counted;
    }
  }
  out.loss = Tensor::from<double>({loss / counted}, {}).to(Device::cpu());
  return out;
}

}  // namespace imago::kernels
