// The specification of softmax.
#include <cmath>

#include "kernels/softmax/softmax.h"

namespace imago::kernels {

Tensor softmax_reference(Softmax op, const Tensor& a, const Tensor& b, int axis) {
  const int at = axis < 0 ? axis + a.dim() : axis;
  std::int64_t inner = 1;
  for (int i = at + 1; i < a.dim(); ++i) inner *= a.size(i);
  const std::int64_t length = a.size(at);
  Tensor out = Tensor::empty_like(a);
  const double *pa = a.data<double>(), *pb = b.data<double>();
  double* po = out.mutable_data<double>();
  for (std::int64_t row = 0; row < a.numel() / length; ++row) {
    const std::int64_t first = row / inner * length * inner + row % inner;
    double largest = -HUGE_VAL, sum = 0, products = 0, exponentials = 0;
    for (std::int64_t k = 0; k < length; ++k) {
      largest = std::fmax(largest, pa[first + k * inner]);
      sum += pa[first + k * inner];
      products += pa[first + k * inner] * pb[first + k * inner];
    }
    for (std::int64_t k = 0; k < length; ++k) {
      exponentials += std::exp(pa[first + k * inner] - largest);
    }
    for (std::int64_t k = 0; k < length; ++k) {
      const double x = pa[first + k * inner], y = pb[first + k * inner];
      double& result = po[first + k * inner];
      if (op == Softmax::softmax) result = std::exp(x - largest) / exponentials;
      if (op == Softmax::log_softmax) result = x - largest - std::log(exponentials);
      if (op == Softmax::softmax_grad) result = y * (x - products);
      if (op == Softmax::log_softmax_grad) result = x - std::exp(y) * sum;
    }
  }
  return out;
}

}  // namespace imago::kernels
