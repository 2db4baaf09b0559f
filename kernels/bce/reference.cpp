// The specification of binary cross-entropy.
#include <cmath>

#include "kernels/bce/bce.h"

namespace imago::kernels {

BceValues bce_with_logits_reference(const Tensor& logits, const Tensor& targets) {
  const std::int64_t n = logits.numel();
  const double *x = logits.data<double>(), *t = targets.data<double>();
  BceValues out{{}, Tensor::empty_like(logits)};
  double* dx = out.dx.mutable_data<double>();
  long double loss = 0;  // so that many terms lose nothing
  for (std::int64_t i = 0; i < n; ++i) {
    const double yes = 1 / (1 + std::exp(-x[i]));  // the probability of "real", 1 - yes of "fake"
    const double log_yes = -std::log1p(std::exp(-x[i])), log_no = -std::log1p(std::exp(x[i]));
    // A class of no share may be impossible.
    if (t[i] > 0) loss -= t[i] * log_yes;
    if (t[i] < 1) loss -= (1 - t[i]) * log_no;
    dx[i] = (yes - t[i]) / static_cast<double>(n);
  }
  out.loss = Tensor::from<double>({static_cast<double>(loss / static_cast<long double>(n))}, {})
                 .to(Device::cpu());
  return out;
}

}  // namespace imago::kernels
