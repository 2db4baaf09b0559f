// Batch norm, and the normalisations within an image or row.
#include <cmath>

#include "bench/op_rows.h"
#include "bench/row_checks.h"
#include "kernels/batch_norm/cases.h"
#include "kernels/group_norm/cases.h"
#include "kernels/random/random.h"

namespace imago::bench {
namespace {

using namespace kernels;
using Tensors = std::vector<Tensor>;

constexpr double eps = 1e-5;

// What the passes of one batch norm share. A slope of 1 is no activation.
struct BatchNormOperands {
  BatchNormCase c;
  DType dtype;
  double slope;
  Tensor x, gamma, beta;

  BatchNormOperands(const BatchNormCase& of, DType type, double s)
      : c(of), dtype(type), slope(s), x(normal(c.x, dtype, {1, 0, 3})) {
    const Shape per_channel{c.channels()};
    gamma = add_scalar(uniform(per_channel, DType::f32, {1, 0, 4}), 0.5);
    beta = normal(per_channel, DType::f32, {1, 0, 5});
  }
};

Row batch_norm_row(const BatchNormOperands& o) {
  return {
      o.c.forward_bytes(o.dtype),
      {o.x, o.gamma, o.beta},
      [slope = o.slope, groups = o.c.stat_groups](Tensors& in) -> Tensors {
        BatchNormResult r = slope == 1 ? batch_norm(in[0], in[1], in[2], eps, groups)
                                       : batch_norm_lrelu(in[0], in[1], in[2], eps, slope, groups);
        return {r.y, r.mean, r.var, r.invstd};
      },
      [=](const Tensors& got) {
        const BatchNormResult want = batch_norm_lrelu(wide(o.x), wide(o.gamma), wide(o.beta), eps,
                                                      o.slope, o.c.stat_groups, Engine::reference);
        const auto bound = [&](DType out, double scale) {
          return o.c.tolerance(o.dtype, out, scale);
        };
        const double shift = largest(o.gamma) * largest(want.mean) * largest(want.invstd);
        const DType acc = DType::f32;
        return close_within(got[0], want.y, bound(o.dtype, largest(want.y) + shift)) &&
               close_within(got[1], want.mean,
                            bound(acc, largest(want.mean) + largest(want.var))) &&
               close_within(got[2], want.var, bound(acc, largest(want.var))) &&
               close_within(got[3], want.invstd, bound(acc, largest(want.invstd)));
      }};
}

Row batch_norm_grad_row(const BatchNormOperands& o) {
  const BatchNormResult stats =
      batch_norm_lrelu(cast(o.x, DType::f32), o.gamma, o.beta, eps, o.slope, o.c.stat_groups);
  // 0 next to the kink, where rounding alone decides which slope an element has.
  Tensor dy = normal(o.c.x, DType::f32, {1, 0, 6});
  for (std::int64_t i = 0; i < dy.numel(); ++i) {
    if (std::fabs(stats.y.data<float>()[i]) < 1e-4f) dy.mutable_data<float>()[i] = 0;
  }
  dy = cast(dy, o.dtype);
  const Tensor mean = stats.mean, invstd = stats.invstd;
  return {o.c.backward_bytes(o.dtype),
          {dy, o.x, o.gamma, o.beta, mean, invstd},
          [slope = o.slope, groups = o.c.stat_groups](Tensors& in) -> Tensors {
            BatchNormGrads r = slope == 1
                                   ? batch_norm_grad(in[0], in[1], in[2], in[4], in[5], groups)
                                   : batch_norm_lrelu_grad(in[0], in[1], in[2], in[3], in[4], in[5],
                                                           slope, groups);
            return {r.dx, r.dgamma, r.dbeta};
          },
          [=](const Tensors& got) {
            const BatchNormGrads want =
                batch_norm_lrelu_grad(wide(dy), wide(o.x), wide(o.gamma), wide(o.beta), wide(mean),
                                      wide(invstd), o.slope, o.c.stat_groups, Engine::reference);
            const double most = largest(dy), sums = o.c.parameter_tolerance(o.dtype, most);
            const double scale = most * largest(o.gamma) * largest(invstd);
            return close_within(got[0], want.dx, o.c.tolerance(o.dtype, o.dtype, scale)) &&
                   close_within(got[1], want.dgamma, sums) &&
                   close_within(got[2], want.dbeta, sums);
          }};
}

// With running statistics: one read, one write.
Row batch_norm_inference_row(const BatchNormOperands& o) {
  const Shape per_channel{o.c.channels()};
  const Tensor mean = normal(per_channel, DType::f32, {1, 0, 17});
  const Tensor var = add_scalar(uniform(per_channel, DType::f32, {1, 0, 18}), 0.5);
  return {2 * static_cast<double>(o.x.nbytes()),
          {o.x, o.gamma, o.beta, mean, var},
          [slope = o.slope](Tensors& in) -> Tensors {
            return {batch_norm_inference(in[0], in[1], in[2], in[3], in[4], eps, slope)};
          },
          [=](const Tensors& got) {
            const Tensor want =
                batch_norm_inference(wide(o.x), wide(o.gamma), wide(o.beta), wide(mean), wide(var),
                                     eps, o.slope, Engine::reference);
            const double scale = largest(want) + 2 * largest(o.gamma) * largest(mean);
            return close_within(got[0], want, sum_tolerance(o.dtype, o.dtype, 1, scale));
          }};
}

void add_batch_norm_rows(const BatchNormCase& c, double slope, DType dtype, RowList& rows) {
  const std::string kind = slope == 1 ? "batch_norm" : "batch_norm_lrelu";
  rows.add(row_name(kind + " " + c.name, dtype), [&] { return batch_norm_row({c, dtype, slope}); });
  rows.add(row_name(kind + "_grad " + c.name, dtype), [&] {
    return batch_norm_grad_row({c, dtype, slope});
  });
}

// Group, instance and layer norm.
Row norm_row(const NormCase& c, DType dtype) {
  const NormProblem p = c.problem();
  const Shape channels{p.channels()};
  const Tensor x = normal(c.x, dtype, {1, 0, 3});
  const Tensor gamma = add_scalar(uniform(channels, DType::f32, {1, 0, 4}), 0.5);
  const Tensor beta = normal(channels, DType::f32, {1, 0, 5});
  return {c.forward_bytes(dtype),
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
          }};
}

Row norm_grad_row(const NormCase& c, DType dtype) {
  const NormProblem p = c.problem();
  const Shape channels{p.channels()};
  const Tensor x = normal(c.x, dtype, {1, 0, 3}), dy = normal(c.x, dtype, {1, 0, 6});
  const Tensor gamma = add_scalar(uniform(channels, DType::f32, {1, 0, 4}), 0.5);
  const NormResult forward = normalise(p, x, gamma, normal(channels, DType::f32, {1, 0, 5}), eps);
  return {
      c.backward_bytes(dtype),
      {dy, x, gamma, forward.mean, forward.invstd},
      [=](Tensors& in) -> Tensors {
        NormGrads r = normalise_grad(p, in[0], in[1], in[2], in[3], in[4]);
        return {r.dx, r.dgamma, r.dbeta};
      },
      [=](const Tensors& got) {
        const NormGrads want = normalise_grad(p, wide(dy), wide(x), wide(gamma), wide(forward.mean),
                                              wide(forward.invstd), true, Engine::reference);
        const double most = largest(dy), sums = c.parameter_tolerance(dtype, 2 * most);
        const double scale = 2 * most * largest(gamma) * largest(forward.invstd);
        return close_within(got[0], want.dx, c.tolerance(dtype, dtype, scale)) &&
               close_within(got[1], want.dgamma, sums) && close_within(got[2], want.dbeta, sums);
      }};
}

}  // namespace

void add_norm_rows(DType dtype, int megabytes, RowList& rows) {
  const std::vector<BatchNormCase> layers = dcgan_batch_norms(4 * std::int64_t{megabytes});
  for (const BatchNormCase& c : layers) add_batch_norm_rows(c, 0.2, dtype, rows);
  add_batch_norm_rows(layers[0], 1, dtype, rows);
  rows.add(row_name("batch_norm_inference " + layers[0].name, dtype), [&] {
    return batch_norm_inference_row({layers[0], dtype, 0.2});
  });

  const std::int64_t elements =
      (std::int64_t{megabytes} << 20) / static_cast<std::int64_t>(size_of(dtype));
  const Shape images{elements / 65536, 32, 32, 64};
  const NormCase all[] = {
      {"layer_norm of 512", {elements / 512, 512}, 0, {512}},
      {"layer_norm of 64", {elements / 64, 64}, 0, {64}},
      {"group_norm 32x32x64 by 8", images, 8},
      {"instance_norm 32x32x64", images, 64},
  };
  for (const NormCase& c : all) {
    rows.add(row_name(c.name, dtype), [&] { return norm_row(c, dtype); });
    rows.add(row_name(c.name + " grad", dtype), [&] { return norm_grad_row(c, dtype); });
  }
}

}  // namespace imago::bench
