#include "bench/op_rows.h"

#include <algorithm>
#include <cmath>

#include "bench/op_arithmetic.h"
#include "bench/row_checks.h"
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
  return {c.bytes(x.dtype(), x.numel()),
          {x},
          [=](Tensors& in) -> Tensors { return {unary(c.op, in[0], c.a, c.b)}; },
          [=](const Tensors& got) {
            return close(got[0], unary_reference(c.op, wide(x), c.a, c.b),
                         [&](double v) { return c.tolerance(x.dtype(), v); });
          },
          0,
          static_cast<double>(x.numel()) * instructions_of(c.op)};
}

Row binary_row(const BinaryCase& c, const Tensor& x, const Tensor& y) {
  return {static_cast<double>(2 * x.nbytes() + y.nbytes()),
          {x, y},
          [=](Tensors& in) -> Tensors { return {binary(c.op, in[0], in[1], c.a, c.b)}; },
          [=](const Tensors& got) {
            return close(got[0], binary_reference(c.op, wide(x), wide(y), c.a, c.b),
                         [&](double v) { return c.tolerance(x.dtype(), v); });
          },
          0,
          static_cast<double>(x.numel()) * instructions_of(c.op)};
}

// The gradient of what is repeated, and the mean of each image's channels.
Row sum_row(const Tensor& x, const Shape& shape) {
  const ReduceCase c{x.shape(), shape};
  return {c.bytes(x.dtype()),
          {x},
          [=](Tensors& in) -> Tensors { return {sum_to(in[0], c.small)}; },
          [=](const Tensors& got) {
            const Tensor want = sum_to_reference(wide(x), c.small);
            return close_within(got[0], want, c.tolerance(x.dtype(), largest(want)));
          }};
}

// As autograd/ops/global_avg_pool2d.h composes it; images (N, H, W, C).
Row global_average_row(const Tensor& images) {
  const ReduceCase c{images.shape(), {images.size(0), 1, 1, images.size(3)}};
  const double factor = 1.0 / static_cast<double>(c.terms());
  return {c.bytes(images.dtype()),
          {images},
          [=](Tensors& in) -> Tensors { return {scale(sum_to(in[0], c.small), factor)}; },
          [=](const Tensors& got) {
            const Tensor sums = sum_to_reference(wide(images), c.small);
            // The factor and the product are rounded, too.
            const double most = largest(sums), rounding = 1.5 * epsilon(images.dtype()) * most;
            const double bound = factor * (c.tolerance(images.dtype(), most) + rounding);
            return close_within(got[0], scale(sums, factor), bound);
          }};
}

Row images_row(std::int64_t numel, DType dtype) {
  Tensor images = Tensor::empty({numel}, DType::u8, Device::cpu());
  std::uint8_t* bytes = images.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < numel; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 % 256);
  return {static_cast<double>(images.nbytes() * (1 + size_of(dtype))),
          {images},
          [=](Tensors& in) -> Tensors { return {normalize_u8(in[0], dtype)}; },
          [=](const Tensors& got) {
            const Tensor want = add_scalar(scale(wide(images), 1 / 127.5), -1);
            return close(got[0], want, [&](double v) {
              return elementwise_tolerance(dtype, 1, std::max(std::fabs(v), 1.0));
            });
          }};
}

// The way back; x in [-1, 1].
Row bytes_row(const Tensor& x) {
  return {static_cast<double>(x.nbytes()) + static_cast<double>(x.numel()),
          {x},
          [](Tensors& in) -> Tensors { return {denormalize_u8(in[0])}; },
          [=](const Tensors& got) {
            // Rounded in acc_t, so that what lies next to a half may go either way.
            const double bound = 0.5 + 256 * epsilon(acc_dtype(x.dtype()));
            return got[0].dtype() == DType::u8 &&
                   close_within(got[0], scale(add_scalar(wide(x), 1), 127.5), bound);
          }};
}

Row add_into_row(const Tensor& x, const Tensor& y) {
  return {3 * static_cast<double>(x.nbytes()),
          {x, y},
          [](Tensors& in) -> Tensors {
            add_into(in[0], in[1]);
            return {in[0]};
          },
          [=](const Tensors& got) {
            return close(got[0], binary_reference(Binary::add, wide(x), wide(y)),
                         [&](double v) { return elementwise_tolerance(x.dtype(), 0.5, v); });
          }};
}

}  // namespace

std::vector<Row> op_rows(DType dtype, int megabytes, const RowList::Wanted& wanted) {
  RowList rows(wanted);
  const std::int64_t bytes = std::int64_t{megabytes} << 20;
  const std::int64_t count = bytes / static_cast<std::int64_t>(size_of(dtype)) / channels;
  const Tensor x = normal({count, channels}, dtype, {1, 0, 0});
  const Tensor y = uniform({count, channels}, dtype, {1, 0, 1});
  const Tensor channel = uniform({channels}, dtype, {1, 0, 2});
  const Tensor pixel = uniform({count, 1}, dtype, {1, 0, 7});
  const Tensor images = x.reshape({count / 1024, 32, 32, channels});
  const Tensor image_channel = uniform({images.size(0), 1, 1, channels}, dtype, {1, 0, 16});
  for (const UnaryCase& c : unary_cases()) {
    rows.add(row_name(name_of(c.op), dtype), [&] { return unary_row(c, x); });
  }
  // Away from 0 and 1, where gradients of bounded functions lose digits.
  const Tensor inside = add_scalar(scale(y, 0.875), 0.0625), positive = abs(x);
  for (const BinaryCase& c : binary_cases()) {
    const std::string name = name_of(c.op);
    rows.add(row_name(name, dtype),
             [&] { return binary_row(c, c.positive ? positive : x, inside); });
    if (c.op == Binary::add || c.op == Binary::prelu) {
      rows.add(row_name(name + " per channel", dtype), [&] { return binary_row(c, x, channel); });
    }
    if (c.op == Binary::mul) {
      rows.add(row_name(name + " per pixel", dtype), [&] { return binary_row(c, x, pixel); });
      rows.add(row_name(name + " per image and channel", dtype),
               [&] { return binary_row(c, images, image_channel); });
    }
  }
  rows.add(row_name("add_into", dtype), [&] { return add_into_row(x, y); });
  add_choice_rows(dtype, megabytes, rows);
  rows.add(row_name("sum per channel", dtype), [&] { return sum_row(x, {channels}); });
  rows.add(row_name("sum per image and channel", dtype),
           [&] { return sum_row(images, image_channel.shape()); });
  rows.add(row_name("global average", dtype), [&] { return global_average_row(images); });
  rows.add(row_name("images from bytes", dtype), [&] { return images_row(x.numel(), dtype); });
  rows.add(row_name("images to bytes", dtype),
           [&] { return bytes_row(add_scalar(scale(y, 2), -1)); });
  add_maker_rows(dtype, megabytes, rows);
  add_optimizer_rows(bytes / 4, rows);
  add_norm_rows(dtype, megabytes, rows);
  add_spatial_rows(dtype, megabytes, rows);
  add_reduction_rows(dtype, megabytes, rows);
  add_index_rows(dtype, megabytes, rows);
  return rows.take();
}

}  // namespace imago::bench
