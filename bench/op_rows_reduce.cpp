// Reductions, softmax and losses.
#include <algorithm>
#include <cmath>

#include "bench/op_arithmetic.h"
#include "bench/op_rows.h"
#include "bench/row_checks.h"
#include "kernels/bce/bce.h"
#include "kernels/bce/cases.h"
#include "kernels/cross_entropy/cases.h"
#include "kernels/elementwise/compare.h"
#include "kernels/random/random.h"
#include "kernels/reduce/axes_cases.h"
#include "kernels/softmax/cases.h"

namespace imago::bench {
namespace {

using namespace kernels;
using Tensors = std::vector<Tensor>;

Tensor reduce(Reduction op, const Tensor& x, const AxisList& axes) {
  switch (op) {
    case Reduction::sum:
      return sum(x, axes);
    case Reduction::max:
      return max(x, axes);
    case Reduction::min:
      return min(x, axes);
    case Reduction::argmax:
      return argmax(x, axes[0]);
    case Reduction::logsumexp:
      return logsumexp(x, axes);
    case Reduction::norm1:
      return norm(x, 1, axes);
    case Reduction::norm2:
      return norm(x, 2, axes);
  }
  return {};
}

// Where each element is compared, subtracted, exponentiated, added and multiplied.
double exponentials(std::int64_t numel) {
  return static_cast<double>(numel) * (exp_instructions + 4);
}

Row reduce_row(Reduction op, const Tensor& x, const AxisList& axes) {
  const AxesCase c{x.shape(), axes};
  return {c.bytes(x.dtype()),
          {x},
          [=](Tensors& in) -> Tensors { return {reduce(op, in[0], axes)}; },
          [=](const Tensors& got) {
            const Tensor want = reduce_reference(op, x, axes);
            const bool exact =
                op == Reduction::max || op == Reduction::min || op == Reduction::argmax;
            return close_within(got[0], want, exact ? 0 : c.tolerance(x.dtype(), largest(want)));
          },
          0,
          op == Reduction::logsumexp ? exponentials(x.numel()) : 0};
}

// Of the gradient of max.
Row equal_elements_row(const Tensor& x) {
  const Tensor other = maximum(x, normal(x.shape(), x.dtype(), {1, 0, 1}));  // half of them x
  return {3 * static_cast<double>(x.nbytes()),
          {x, other},
          [](Tensors& in) -> Tensors { return {equal_elements(in[0], in[1])}; },
          [=](const Tensors& got) {
            return same_bits(got[0],
                             cast(compare_reference(Comparison::equal, x, other), x.dtype()));
          }};
}

Row softmax_row(Softmax op, const SoftmaxCase& c, DType dtype) {
  const Tensor a = normal(c.x, dtype, {1, 0, 0});
  const bool gradient = op == Softmax::softmax_grad || op == Softmax::log_softmax_grad;
  const Softmax forward = op == Softmax::log_softmax_grad ? Softmax::log_softmax : Softmax::softmax;
  const Tensor logits = normal(c.x, dtype, {1, 0, 1});
  const Tensor b = gradient ? softmax_any(forward, logits, logits, c.axis) : a;
  return {c.bytes(dtype, gradient),
          {a, b},
          [=](Tensors& in) -> Tensors { return {softmax_any(op, in[0], in[1], c.axis)}; },
          [=](const Tensors& got) {
            const Tensor want = softmax_reference(op, wide(a), wide(b), c.axis);
            return close_within(got[0], want, c.tolerance(dtype, std::fmax(largest(want), 1.0)));
          },
          0,
          op == Softmax::softmax_grad ? 0 : exponentials(a.numel())};
}

Row cross_entropy_row(const CrossEntropyCase& c, DType dtype) {
  const Tensor x = normal(c.x, dtype, {1, 0, 0}), labels = c.labels();
  return {c.bytes(dtype, false),
          {x, labels},
          [](Tensors& in) -> Tensors { return {cross_entropy(in[0], in[1]).loss}; },
          [=](const Tensors& got) {
            const Tensor want = cross_entropy_reference(wide(x), labels).loss;
            return close_within(got[0], want, c.loss_tolerance(dtype, want.item()));
          },
          0,
          exponentials(x.numel())};
}

Row cross_entropy_grad_row(const CrossEntropyCase& c, DType dtype) {
  const Tensor x = normal(c.x, dtype, {1, 0, 0}), labels = c.labels();
  const CrossEntropyResult forward = cross_entropy(x, labels);
  const Tensor dy = Tensor::scalar(1, acc_dtype(dtype));
  return {c.bytes(dtype, true),
          {dy, x, labels, forward.statistics, forward.weights},
          [](Tensors& in) -> Tensors {
            return {cross_entropy_grad(in[0], in[1], in[2], {{}, in[3], in[4]})};
          },
          [=](const Tensors& got) {
            const Tensor want = cross_entropy_reference(wide(x), labels).dx;
            return close_within(got[0], want, c.grad_tolerance(dtype, largest(want)));
          },
          0,
          exponentials(x.numel())};
}

// The bounds of both are those of tests/kernels/test_bce.cpp.
Row bce_row(const BceCase& c, DType dtype) {
  const Tensor x = normal(c.shape, dtype, {1, 0, 0}), targets = uniform(c.shape, dtype, {1, 0, 1});
  return {c.bytes(dtype),
          {x, targets},
          [](Tensors& in) -> Tensors { return {bce_with_logits(in[0], in[1])}; },
          [=](const Tensors& got) {
            const Tensor x64 = wide(x), t64 = wide(targets);
            double sum = 0;
            for (std::int64_t i = 0; i < x64.numel(); ++i) {
              const double v = x64.data<double>()[i];
              sum += std::max(v, 0.0) - v * t64.data<double>()[i] +
                     std::log1p(std::exp(-std::fabs(v)));
            }
            const double want = sum / static_cast<double>(x64.numel());
            return std::fabs(got[0].item() - want) <= 8 * epsilon(acc_dtype(dtype)) * (want + 1);
          },
          0,
          static_cast<double>(x.numel()) * (instructions_of(Unary::softplus) + 3)};
}

Row bce_grad_row(const BceCase& c, DType dtype) {
  const Tensor x = normal(c.shape, dtype, {1, 0, 0}), targets = uniform(c.shape, dtype, {1, 0, 1});
  // The mean's share is 1 / numel; the gradients are then of about 1.
  const Tensor dy = Tensor::scalar(static_cast<double>(x.numel()), acc_dtype(dtype));
  return {c.bytes(dtype) + static_cast<double>(x.nbytes()),
          {dy, x, targets},
          [](Tensors& in) -> Tensors { return {bce_with_logits_grad(in[0], in[1], in[2])}; },
          [=](const Tensors& got) {
            const Tensor x64 = wide(x), t64 = wide(targets);
            Tensor want = Tensor::empty(x.shape(), DType::f64, Device::cpu());
            double* p = want.mutable_data<double>();
            for (std::int64_t i = 0; i < want.numel(); ++i) {
              p[i] = 1 / (1 + std::exp(-x64.data<double>()[i])) - t64.data<double>()[i];
            }
            return close_within(got[0], want, 8 * epsilon(dtype));
          },
          0,
          static_cast<double>(x.numel()) * (instructions_of(Unary::sigmoid) + 2)};
}

}  // namespace

void add_reduction_rows(DType dtype, int megabytes, RowList& rows) {
  const std::int64_t elements =
      (std::int64_t{megabytes} << 20) / static_cast<std::int64_t>(size_of(dtype));
  const Tensor x = normal({elements / 64, 64}, dtype, {1, 0, 0});
  const auto add_reduction = [&](const char* name, Reduction op, const AxisList& axes) {
    rows.add(row_name(name, dtype), [&] { return reduce_row(op, x, axes); });
  };
  add_reduction("sum per row of 64", Reduction::sum, {1});
  add_reduction("sum of all", Reduction::sum, {});
  add_reduction("max per row of 64", Reduction::max, {1});
  add_reduction("max per channel", Reduction::max, {0});
  add_reduction("min per row of 64", Reduction::min, {1});
  add_reduction("min per channel", Reduction::min, {0});
  add_reduction("argmax per row of 64", Reduction::argmax, {1});
  add_reduction("argmax per channel", Reduction::argmax, {0});
  add_reduction("logsumexp per row of 64", Reduction::logsumexp, {1});
  add_reduction("L1 norm of all", Reduction::norm1, {});
  add_reduction("L2 norm of all", Reduction::norm2, {});
  rows.add(row_name("equal_elements", dtype), [&] { return equal_elements_row(x); });

  const auto add_softmax = [&](const char* name, Softmax op, const Shape& shape) {
    rows.add(row_name(name, dtype), [&] { return softmax_row(op, {shape, 1}, dtype); });
  };
  const Shape long_rows{elements / 1024, 1024};
  add_softmax("softmax of 1024", Softmax::softmax, long_rows);
  add_softmax("log_softmax of 1024", Softmax::log_softmax, long_rows);
  add_softmax("softmax_grad of 1024", Softmax::softmax_grad, long_rows);
  add_softmax("log_softmax_grad of 1024", Softmax::log_softmax_grad, long_rows);
  add_softmax("softmax of 64", Softmax::softmax, x.shape());
  add_softmax("softmax over 64 channels apart", Softmax::softmax, {elements / 65536, 64, 1024});

  const CrossEntropyCase classes{{elements / 1000, 1000}};
  rows.add(row_name("cross_entropy of 1000", dtype),
           [&] { return cross_entropy_row(classes, dtype); });
  rows.add(row_name("cross_entropy_grad of 1000", dtype),
           [&] { return cross_entropy_grad_row(classes, dtype); });
  const BceCase scores{x.shape()};
  rows.add(row_name("bce_with_logits", dtype), [&] { return bce_row(scores, dtype); });
  rows.add(row_name("bce_with_logits_grad", dtype), [&] { return bce_grad_row(scores, dtype); });
}

}  // namespace imago::bench
