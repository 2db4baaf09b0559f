// Reductions, softmax, cross-entropy and the normalisations within an image or row.
#include "bench/op_arithmetic.h"
#include "bench/op_rows.h"
#include "bench/row_checks.h"
#include "kernels/cross_entropy/cases.h"
#include "kernels/group_norm/cases.h"
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

Row reduce_row(const std::string& name, Reduction op, const Tensor& x, const AxisList& axes) {
  const AxesCase c{x.shape(), axes};
  return {row_name(name, x.dtype()),
          c.bytes(x.dtype()),
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

Row softmax_row(const std::string& name, Softmax op, const SoftmaxCase& c, DType dtype) {
  const Tensor a = normal(c.x, dtype, {1, 0, 0});
  const bool gradient = op == Softmax::softmax_grad;
  const Tensor b = gradient ? softmax(normal(c.x, dtype, {1, 0, 1}), c.axis) : a;
  return {row_name(name, dtype),
          c.bytes(dtype, gradient),
          {a, b},
          [=](Tensors& in) -> Tensors { return {softmax_any(op, in[0], in[1], c.axis)}; },
          [=](const Tensors& got) {
            const Tensor want = softmax_reference(op, wide(a), wide(b), c.axis);
            return close_within(got[0], want, c.tolerance(dtype, std::fmax(largest(want), 1.0)));
          },
          0,
          gradient ? 0 : exponentials(a.numel())};
}

void add_cross_entropy_rows(const CrossEntropyCase& c, DType dtype, std::vector<Row>& table) {
  const Tensor x = normal(c.x, dtype, {1, 0, 0}), labels = c.labels();
  const std::string classes = " of " + std::to_string(c.x[1]);
  table.push_back({row_name("cross_entropy" + classes, dtype),
                   c.bytes(dtype, false),
                   {x, labels},
                   [](Tensors& in) -> Tensors { return {cross_entropy(in[0], in[1]).loss}; },
                   [=](const Tensors& got) {
                     const Tensor want = cross_entropy_reference(wide(x), labels).loss;
                     return close_within(got[0], want, c.loss_tolerance(dtype, want.item()));
                   },
                   0,
                   exponentials(x.numel())});
  const CrossEntropyResult forward = cross_entropy(x, labels);
  const Tensor dy = Tensor::scalar(1, acc_dtype(dtype));
  table.push_back({row_name("cross_entropy_grad" + classes, dtype),
                   c.bytes(dtype, true),
                   {dy, x, labels, forward.statistics, forward.weights},
                   [](Tensors& in) -> Tensors {
                     return {cross_entropy_grad(in[0], in[1], in[2], {{}, in[3], in[4]})};
                   },
                   [=](const Tensors& got) {
                     const Tensor want = cross_entropy_reference(wide(x), labels).dx;
                     return close_within(got[0], want, c.grad_tolerance(dtype, largest(want)));
                   },
                   0,
                   exponentials(x.numel())});
}

void add_norm_rows(const NormCase& c, DType dtype, std::vector<Row>& table) {
  constexpr double eps = 1e-5;
  const NormProblem p = c.problem();
  const Shape channels{p.channels()};
  const Tensor x = normal(c.x, dtype, {1, 0, 3}), dy = normal(c.x, dtype, {1, 0, 6});
  const Tensor gamma = add_scalar(uniform(channels, DType::f32, {1, 0, 4}), 0.5);
  const Tensor beta = normal(channels, DType::f32, {1, 0, 5});
  table.push_back(
      {row_name(c.name, dtype),
       c.forward_bytes(dtype),
       {x, gamma, beta},
       [=](Tensors& in) -> Tensors {
         NormResult r = normalise(p, in[0], in[1], in[2], eps);
         return {r.y, r.invstd};
       },
       [=](const Tensors& got) {
         const NormResult want =
             normalise(p, wide(x), wide(gamma), wide(beta), eps, Engine::reference);
         const double most = largest(want.invstd);
         return close_within(got[0], want.y, c.tolerance(dtype, dtype, largest(want.y) + 1)) &&
                close_within(got[1], want.invstd, c.tolerance(DType::f32, DType::f32, 2 * most));
       }});
  const NormResult forward = normalise(p, x, gamma, beta, eps);
  table.push_back({row_name(c.name + " grad", dtype),
                   c.backward_bytes(dtype),
                   {dy, x, gamma, forward.mean, forward.invstd},
                   [=](Tensors& in) -> Tensors {
                     NormGrads r = normalise_grad(p, in[0], in[1], in[2], in[3], in[4]);
                     return {r.dx, r.dgamma, r.dbeta};
                   },
                   [=](const Tensors& got) {
                     const NormGrads want =
                         normalise_grad(p, wide(dy), wide(x), wide(gamma), wide(forward.mean),
                                        wide(forward.invstd), true, Engine::reference);
                     const double most = largest(dy), sums = c.parameter_tolerance(dtype, 2 * most);
                     const double scale = 2 * most * largest(gamma) * largest(forward.invstd);
                     return close_within(got[0], want.dx, c.tolerance(dtype, dtype, scale)) &&
                            close_within(got[1], want.dgamma, sums) &&
                            close_within(got[2], want.dbeta, sums);
                   }});
}

}  // namespace

std::vector<Row> reduction_rows(DType dtype, int megabytes) {
  const std::int64_t elements =
      (std::int64_t{megabytes} << 20) / static_cast<std::int64_t>(size_of(dtype));
  const Tensor x = normal({elements / 64, 64}, dtype, {1, 0, 0});
  std::vector<Row> table;
  table.push_back(reduce_row("sum per row of 64", Reduction::sum, x, {1}));
  table.push_back(reduce_row("sum of all", Reduction::sum, x, {}));
  table.push_back(reduce_row("max per row of 64", Reduction::max, x, {1}));
  table.push_back(reduce_row("max per channel", Reduction::max, x, {0}));
  table.push_back(reduce_row("argmax per row of 64", Reduction::argmax, x, {1}));
  table.push_back(reduce_row("argmax per channel", Reduction::argmax, x, {0}));
  table.push_back(reduce_row("logsumexp per row of 64", Reduction::logsumexp, x, {1}));
  table.push_back(reduce_row("L2 norm of all", Reduction::norm2, x, {}));
  const SoftmaxCase rows{{elements / 1024, 1024}, 1}, pixels{{elements / 64, 64}, 1};
  table.push_back(softmax_row("softmax of 1024", Softmax::softmax, rows, dtype));
  table.push_back(softmax_row("log_softmax of 1024", Softmax::log_softmax, rows, dtype));
  table.push_back(softmax_row("softmax_grad of 1024", Softmax::softmax_grad, rows, dtype));
  table.push_back(softmax_row("softmax of 64", Softmax::softmax, pixels, dtype));
  table.push_back(softmax_row("softmax over 64 channels apart", Softmax::softmax,
                              {{elements / 65536, 64, 1024}, 1}, dtype));
  add_cross_entropy_rows({{elements / 1000, 1000}}, dtype, table);
  const Shape images{elements / 65536, 32, 32, 64};
  add_norm_rows({"layer_norm of 512", {elements / 512, 512}, 0, {512}}, dtype, table);
  add_norm_rows({"layer_norm of 64", {elements / 64, 64}, 0, {64}}, dtype, table);
  add_norm_rows({"group_norm 32x32x64 by 8", images, 8}, dtype, table);
  add_norm_rows({"instance_norm 32x32x64", images, 64}, dtype, table);
  return table;
}

}  // namespace imago::bench
