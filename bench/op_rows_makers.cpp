// Rows of bench_ops that make tensors of little: random numbers, constants, other dtypes, one_hot,
// repetitions.
#include <algorithm>
#include <array>

#include "bench/op_arithmetic.h"
#include "bench/op_rows.h"
#include "bench/row_checks.h"
#include "kernels/elementwise/cases.h"
#include "kernels/elementwise/compare.h"
#include "kernels/gather/gather.h"
#include "kernels/random/cases.h"
#include "kernels/random/random.h"
#include "kernels/reduce/reduce.h"
#include "tensor/convert.h"

namespace imago::bench {
namespace {

using namespace kernels;
using Tensors = std::vector<Tensor>;

constexpr DrawKey key{.seed = 3, .step = 1, .draw = 4};

// What random.h promises: element 4 b + j is value j of block b of tensor/philox.h, f32.
Tensor drawn(const Shape& shape, std::array<float, 4> (*block)(DrawKey, std::uint64_t)) {
  Tensor t = Tensor::empty(shape, DType::f32, Device::cpu());
  float* p = t.mutable_data<float>();
  for (std::int64_t i = 0; i < t.numel(); i += 4) {
    const std::array<float, 4> values = block(key, static_cast<std::uint64_t>(i / 4));
    std::copy_n(values.begin(), std::min<std::int64_t>(4, t.numel() - i), p + i);
  }
  return t;
}

// Rows without operands have one element that says on which device they run.
Tensor device_marker() {
  return Tensor::zeros({1});
}

Row normal_row(const RandomCase& c, DType dtype) {
  return {c.bytes(dtype),
          {device_marker()},
          [=](Tensors& in) -> Tensors { return {normal(c.shape, dtype, key, in[0].device())}; },
          [=](const Tensors& got) {
            return same_bits(got[0], cast(drawn(c.shape, normal_block), dtype));
          },
          0,
          static_cast<double>(c.shape.numel()) * normal_instructions};
}

Row uniform_row(const RandomCase& c, DType dtype) {
  return {c.bytes(dtype),
          {device_marker()},
          [=](Tensors& in) -> Tensors { return {uniform(c.shape, dtype, key, in[0].device())}; },
          [=](const Tensors& got) {
            return same_bits(got[0], cast(drawn(c.shape, uniform_block), dtype));
          },
          0,
          static_cast<double>(c.shape.numel()) * uniform_instructions};
}

Row dropout_row(const Tensor& x) {
  constexpr double p = 0.25;
  return {2 * static_cast<double>(x.nbytes()),
          {x},
          [=](Tensors& in) -> Tensors { return {dropout(in[0], p, key)}; },
          [=](const Tensors& got) {
            const Tensor u = drawn(x.shape(), uniform_block);
            Tensor want = wide(x).clone();
            double* v = want.mutable_data<double>();
            for (std::int64_t i = 0; i < want.numel(); ++i) {
              v[i] = u.data<float>()[i] >= 0.25f ? v[i] / (1 - p) : 0;
            }
            // The factor is rounded, then the product.
            return close(got[0], want,
                         [&](double value) { return elementwise_tolerance(x.dtype(), 1, value); });
          },
          0,
          static_cast<double>(x.numel()) * (uniform_instructions + 3)};
}

Row fill_row(const Tensor& x) {
  return {static_cast<double>(x.nbytes()),
          {x},
          [](Tensors& in) -> Tensors {
            fill(in[0], 1.5);
            return {in[0]};
          },
          [=](const Tensors& got) {
            return same_bits(got[0], Tensor::full(x.shape(), 1.5, x.dtype(), Device::cpu()));
          }};
}

Row full_row(const Shape& shape, DType dtype) {
  const Tensor want = Tensor::full(shape, -2.5, dtype, Device::cpu());
  return {static_cast<double>(want.nbytes()),
          {device_marker()},
          [=](Tensors& in) -> Tensors { return {full(shape, -2.5, dtype, in[0].device())}; },
          [=](const Tensors& got) { return same_bits(got[0], want); }};
}

// Element by element as tensor/convert.h does it, both f32 or bf16.
template <class To, class From>
Tensor converted(const Tensor& x) {
  Tensor t = Tensor::empty(x.shape(), dtype_of<To>(), Device::cpu());
  std::transform(x.data<From>(), x.data<From>() + x.numel(), t.mutable_data<To>(),
                 [](From v) { return convert<To>(v); });
  return t;
}

Row cast_row(const Tensor& x, DType to) {
  return {static_cast<double>(x.numel()) * static_cast<double>(size_of(x.dtype()) + size_of(to)),
          {x},
          [=](Tensors& in) -> Tensors { return {cast(in[0], to)}; },
          [=](const Tensors& got) {
            return same_bits(
                got[0], to == DType::bf16 ? converted<bf16, float>(x) : converted<float, bf16>(x));
          }};
}

Row one_hot_row(std::int64_t count, std::int64_t classes, DType dtype) {
  const Tensor labels = indices_below(classes, {count});
  const auto ones = static_cast<double>(count * classes) * static_cast<double>(size_of(dtype));
  return {static_cast<double>(labels.nbytes()) + ones,
          {labels},
          [=](Tensors& in) -> Tensors { return {one_hot(in[0], classes, dtype)}; },
          [=](const Tensors& got) {
            Tensor want = Tensor::zeros({count, classes});
            float* p = want.mutable_data<float>();
            for (std::int64_t i = 0; i < count; ++i) {
              p[i * classes + labels.data<std::int64_t>()[i]] = 1;
            }
            return same_bits(got[0], cast(want, dtype));
          }};
}

Row broadcast_row(const Tensor& x, const Shape& shape) {
  const auto large = static_cast<double>(shape.numel()) * static_cast<double>(size_of(x.dtype()));
  return {static_cast<double>(x.nbytes()) + large,
          {x},
          [=](Tensors& in) -> Tensors { return {broadcast_to(in[0], shape)}; },
          [=](const Tensors& got) {
            return same_bits(got[0], where_reference(Tensor::full(shape, 1, DType::u8), x, x));
          }};
}

}  // namespace

void add_maker_rows(DType dtype, int megabytes, RowList& rows) {
  const std::int64_t elements =
      (std::int64_t{megabytes} << 20) / static_cast<std::int64_t>(size_of(dtype));
  const Shape shape{elements / 64, 64}, images{elements / 65536, 32, 32, 64};
  const auto add = [&](const char* name, const std::function<Row()>& make) {
    rows.add(row_name(name, dtype), make);
  };
  const auto normals = [](const Shape& s, DType type) { return normal(s, type, {1, 0, 24}); };
  add("normal", [&] { return normal_row({shape}, dtype); });
  add("uniform", [&] { return uniform_row({shape}, dtype); });
  add("dropout", [&] { return dropout_row(normals(shape, dtype)); });
  add("fill", [&] { return fill_row(normals(shape, dtype)); });
  add("full", [&] { return full_row(shape, dtype); });
  // The same in both tables: the larger side has `megabytes` MiB.
  const Shape halves{(std::int64_t{megabytes} << 20) / 4};
  rows.add("cast f32 to bf16", [&] { return cast_row(normals(halves, DType::f32), DType::bf16); });
  rows.add("cast bf16 to f32", [&] { return cast_row(normals(halves, DType::bf16), DType::f32); });
  add("one_hot of 1000", [&] { return one_hot_row(elements / 1000, 1000, dtype); });
  add("broadcast_to per channel", [&] { return broadcast_row(normals({64}, dtype), shape); });
  add("broadcast_to per pixel", [&] {
    return broadcast_row(normals({shape[0], 1}, dtype), shape);
  });
  add("broadcast_to per image and channel", [&] {
    return broadcast_row(normals({images[0], 1, 1, 64}, dtype), images);
  });
}

}  // namespace imago::bench
