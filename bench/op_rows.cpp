#include "bench/op_rows.h"

#include <algorithm>
#include <cmath>

#include "bench/op_arithmetic.h"
#include "bench/row_checks.h"
#include "kernels/batch_norm/cases.h"
#include "kernels/elementwise/cases.h"
#include "kernels/image/image.h"
#include "kernels/random/random.h"
#include "kernels/reduce/cases.h"
#include "kernels/reduce/reduce.h"

namespace imago::bench {
namespace {

using namespace kernels;
using Tensors = std::vector<Tensor>;

constexpr std::int64_t channels = 64;

Row unary_row(const UnaryCase& c, const Tensor& normals) {
  // Into the range where the function is defined.
  const Tensor x = clamp(c.low > 0 ? add_scalar(square(normals), c.low) : normals, {c.low, c.high});
  return {row_name(name_of(c.op), x.dtype()),
          c.bytes(x.dtype(), x.numel()),
          {x},
          [=](Tensors& in) -> Tensors { return {unary(c.op, in[0], c.a, c.b)}; },
          [=](const Tensors& got) {
            return close(got[0], unary_reference(c.op, wide(x), c.a, c.b),
                         [&](double v) { return c.tolerance(x.dtype(), v); });
          },
          0,
          static_cast<double>(x.numel()) * instructions_of(c.op)};
}

Row binary_row(const std::string& name, const BinaryCase& c, const Tensor& x, const Tensor& y) {
  return {row_name(name, x.dtype()),
          static_cast<double>(2 * x.nbytes() + y.nbytes()),
          {x, y},
          [=](Tensors& in) -> Tensors { return {binary(c.op, in[0], in[1], c.a, c.b)}; },
          [=](const Tensors& got) {
            return close(got[0], binary_reference(c.op, wide(x), wide(y), c.a, c.b),
                         [&](double v) { return c.tolerance(x.dtype(), v); });
          },
          0,
          static_cast<double>(x.numel()) * instructions_of(c.op)};
}

Row sum_row(const Tensor& x) {
  const ReduceCase c{x.shape(), Shape{channels}};
  return {row_name("sum per channel", x.dtype()),
          c.bytes(x.dtype()),
          {x},
          [=](Tensors& in) -> Tensors { return {sum_to(in[0], c.small)}; },
          [=](const Tensors& got) {
            const Tensor want = sum_to_reference(wide(x), c.small);
            return close_within(got[0], want, c.tolerance(x.dtype(), largest(want)));
          }};
}

Row images_row(std::int64_t numel, DType dtype) {
  Tensor images = Tensor::empty({numel}, DType::u8, Device::cpu());
  std::uint8_t* bytes = images.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < numel; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 % 256);
  return {row_name("images from bytes", dtype),
          static_cast<double>(images.nbytes() * (1 + size_of(dtype))),
          {images},
          [=](Tensors& in) -> Tensors { return {normalize_u8(in[0], dtype)}; },
          [=](const Tensors& got) {
            const Tensor want = add_scalar(scale(wide(images), 1 / 127.5), -1);
            return close(got[0], want, [&](double v) {
              return elementwise_tolerance(dtype, 1, std::max(std::fabs(v), 1.0));
            });
          }};
}

// The fused forward and backward pass of one layer.
void add_batch_norm_rows(const BatchNormCase& c, DType dtype, std::vector<Row>& rows) {
  constexpr double eps = 1e-5, slope = 0.2;
  const Shape per_channel{c.channels()};
  const Tensor x = normal(c.x, dtype, {1, 0, 3});
  const Tensor gamma = add_scalar(uniform(per_channel, DType::f32, {1, 0, 4}), 0.5);
  const Tensor beta = normal(per_channel, DType::f32, {1, 0, 5});

  rows.push_back(
      {row_name("batch_norm_lrelu " + c.name, dtype),
       c.forward_bytes(dtype),
       {x, gamma, beta},
       [=](Tensors& in) -> Tensors {
         BatchNormResult r = batch_norm_lrelu(in[0], in[1], in[2], eps, slope, c.stat_groups);
         return {r.y, r.mean, r.var, r.invstd};
       },
       [=](const Tensors& got) {
         const BatchNormResult want = batch_norm_lrelu(wide(x), wide(gamma), wide(beta), eps, slope,
                                                       c.stat_groups, Engine::reference);
         const auto bound = [&](DType out, double scale) { return c.tolerance(dtype, out, scale); };
         const double shift = largest(gamma) * largest(want.mean) * largest(want.invstd);
         const DType acc = DType::f32;
         return close_within(got[0], want.y, bound(dtype, largest(want.y) + shift)) &&
                close_within(got[1], want.mean,
                             bound(acc, largest(want.mean) + largest(want.var))) &&
                close_within(got[2], want.var, bound(acc, largest(want.var))) &&
                close_within(got[3], want.invstd, bound(acc, largest(want.invstd)));
       }});

  const BatchNormResult stats =
      batch_norm_lrelu(cast(x, DType::f32), gamma, beta, eps, slope, c.stat_groups);
  // 0 next to the kink, where rounding alone decides which slope an element has.
  Tensor dy = normal(c.x, DType::f32, {1, 0, 6});
  for (std::int64_t i = 0; i < dy.numel(); ++i) {
    if (std::fabs(stats.y.data<float>()[i]) < 1e-4f) dy.mutable_data<float>()[i] = 0;
  }
  dy = cast(dy, dtype);
  const Tensor mean = stats.mean, invstd = stats.invstd;
  rows.push_back({row_name("batch_norm_lrelu_grad " + c.name, dtype),
                  c.backward_bytes(dtype),
                  {dy, x, gamma, beta, mean, invstd},
                  [=](Tensors& in) -> Tensors {
                    BatchNormGrads r = batch_norm_lrelu_grad(in[0], in[1], in[2], in[3], in[4],
                                                             in[5], slope, c.stat_groups);
                    return {r.dx, r.dgamma, r.dbeta};
                  },
                  [=](const Tensors& got) {
                    const BatchNormGrads want = batch_norm_lrelu_grad(
                        wide(dy), wide(x), wide(gamma), wide(beta), wide(mean), wide(invstd), slope,
                        c.stat_groups, Engine::reference);
                    const double most = largest(dy), sums = c.parameter_tolerance(dtype, most);
                    const double scale = most * largest(gamma) * largest(invstd);
                    return close_within(got[0], want.dx, c.tolerance(dtype, dtype, scale)) &&
                           close_within(got[1], want.dgamma, sums) &&
                           close_within(got[2], want.dbeta, sums);
                  }});
}

}  // namespace

std::vector<Row> op_rows(DType dtype, int megabytes) {
  const std::int64_t bytes = std::int64_t{megabytes} << 20;
  const std::int64_t rows = bytes / static_cast<std::int64_t>(size_of(dtype)) / channels;
  const Tensor x = normal({rows, channels}, dtype, {1, 0, 0});
  const Tensor y = uniform({rows, channels}, dtype, {1, 0, 1});
  const Tensor channel = uniform({channels}, dtype, {1, 0, 2});
  const Tensor pixel = uniform({rows, 1}, dtype, {1, 0, 7});
  std::vector<Row> table;
  for (const UnaryCase& c : unary_cases()) table.push_back(unary_row(c, x));
  // Away from 0 and 1, where gradients of bounded functions lose digits.
  const Tensor inside = add_scalar(scale(y, 0.875), 0.0625), positive = abs(x);
  for (const BinaryCase& c : binary_cases()) {
    table.push_back(binary_row(name_of(c.op), c, c.positive ? positive : x, inside));
    if (c.op == Binary::add || c.op == Binary::prelu) {
      table.push_back(binary_row(name_of(c.op) + std::string(" per channel"), c, x, channel));
    }
    if (c.op == Binary::mul) table.push_back(binary_row("mul per pixel", c, x, pixel));
  }
  for (Row& row : choice_rows(dtype, megabytes)) table.push_back(std::move(row));
  table.push_back(sum_row(x));
  table.push_back(images_row(bytes / static_cast<std::int64_t>(size_of(dtype)), dtype));
  for (Row& row : optimizer_rows(bytes / 4)) table.push_back(std::move(row));
  for (const BatchNormCase& c : dcgan_batch_norms(4 * std::int64_t{megabytes})) {
    add_batch_norm_rows(c, dtype, table);
  }
  for (const Row& row : spatial_rows(dtype, megabytes)) table.push_back(row);
  for (Row& row : reduction_rows(dtype, megabytes)) table.push_back(std::move(row));
  for (Row& row : index_rows(dtype, megabytes)) table.push_back(std::move(row));
  return table;
}

}  // namespace imago::bench
