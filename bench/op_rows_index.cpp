// Rows of bench_ops that only move elements, choose by index, or multiply batches of matrices.
#include <algorithm>

#include "bench/op_rows.h"
#include "bench/row_checks.h"
#include "kernels/concat/cases.h"
#include "kernels/concat/concat.h"
#include "kernels/gather/cases.h"
#include "kernels/gather/gather.h"
#include "kernels/gemm/cases.h"
#include "kernels/permute/cases.h"
#include "kernels/permute/permute.h"
#include "kernels/random/random.h"
#include "tensor/random_stream.h"

namespace imago::bench {
namespace {

using namespace kernels;
using Tensors = std::vector<Tensor>;

Row permute_row(const std::string& name, const PermuteCase& c, const Tensor& x) {
  return {row_name(name, x.dtype()),
          c.bytes(x.dtype()),
          {x},
          [=](Tensors& in) -> Tensors { return {permute(in[0], c.order)}; },
          [=](const Tensors& got) {
            return same_bits(got[0], permute(x, c.order, Engine::reference));
          }};
}

Row concat_row(const std::string& name, const AxisCase& c, const Tensor& x) {
  const Tensors parts = split(x, c.axis, c.extents);
  return {row_name(name, x.dtype()), c.bytes(x.dtype()), parts,
          [=](Tensors& in) -> Tensors { return {concat(in, c.axis)}; },
          [=](const Tensors& got) { return same_bits(got[0], x); }};
}

// Elements [begin, end) of an axis, and the gradient of that.
Row slice_row(const std::string& name, const Tensor& x, int axis, std::int64_t begin,
              std::int64_t end) {
  const Tensor want = slice_reference(x, axis, begin, end);
  return {row_name(name, x.dtype()),
          2.0 * static_cast<double>(want.nbytes()),
          {x},
          [=](Tensors& in) -> Tensors { return {slice(in[0], axis, begin, end)}; },
          [=](const Tensors& got) { return same_bits(got[0], want); }};
}

Row place_row(const std::string& name, const Tensor& x, int axis, std::int64_t begin,
              std::int64_t extent) {
  const Tensor want = place_reference(x, axis, begin, extent);
  return {row_name(name, x.dtype()),
          static_cast<double>(x.nbytes() + want.nbytes()),
          {x},
          [=](Tensors& in) -> Tensors { return {place(in[0], axis, begin, extent)}; },
          [=](const Tensors& got) { return same_bits(got[0], want); }};
}

Tensor indices_below(std::int64_t extent, const Shape& shape) {
  RandomStream stream(7);
  Tensor t = Tensor::empty(shape, DType::i64, Device::cpu());
  std::int64_t* p = t.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    p[i] = static_cast<std::int64_t>(stream.below(static_cast<std::uint32_t>(extent)));
  }
  return t;
}

// Looking up rows of a table, and the sum of their gradients.
void add_embedding_rows(const SelectCase& c, DType dtype, std::vector<Row>& rows) {
  const Tensor table = normal(c.x, dtype, {1, 0, 10});
  const Tensor indices = indices_below(c.x[0], c.indices);
  rows.push_back({row_name("embedding", dtype),
                  c.bytes(dtype),
                  {table, indices},
                  [=](Tensors& in) -> Tensors { return {index_select(in[0], 0, in[1])}; },
                  [=](const Tensors& got) {
                    return same_bits(got[0], index_select_reference(table, 0, indices));
                  }});
  const Tensor dy = normal({c.indices[0], c.x[1]}, dtype, {1, 0, 11});
  rows.push_back(
      {row_name("embedding gradient", dtype),
       static_cast<double>(8 * indices.numel()) + static_cast<double>(dy.nbytes() + table.nbytes()),
       {dy, indices},
       [=](Tensors& in) -> Tensors { return {index_add(in[0], 0, in[1], c.x[0])}; },
       [=](const Tensors& got) {
         return same_bits(got[0], index_add_reference(dy, 0, indices, c.x[0]));
       }});
}

void add_gather_rows(const GatherCase& c, DType dtype, std::vector<Row>& rows) {
  const Tensor x = normal(c.x, dtype, {1, 0, 12});
  const Tensor indices = indices_below(c.x[c.axis], c.indices());
  rows.push_back({row_name("gather", dtype),
                  c.bytes(dtype),
                  {x, indices},
                  [=](Tensors& in) -> Tensors { return {gather(in[0], c.axis, in[1])}; },
                  [=](const Tensors& got) {
                    return same_bits(got[0], gather_reference(x, c.axis, indices));
                  }});
  const Tensor dy = normal(c.indices(), dtype, {1, 0, 13});
  rows.push_back(
      {row_name("scatter_add", dtype),
       static_cast<double>(indices.nbytes() + dy.nbytes() + x.nbytes()),
       {dy, indices},
       [=](Tensors& in) -> Tensors { return {scatter_add(in[0], c.axis, in[1], c.x[c.axis])}; },
       [=](const Tensors& got) {
         return same_bits(got[0], scatter_add_reference(dy, c.axis, indices, c.x[c.axis]));
       }});
}

// Products of matrices of the sizes that attention has: bound by arithmetic.
Row gemm_row(std::int64_t batches, const GemmCase& c, DType dtype) {
  const Tensor a = normal({batches, c.M, c.K}, dtype, {1, 0, 14});
  const Tensor b = normal({batches, c.N, c.K}, dtype, {1, 0, 15});
  const auto n = static_cast<double>(batches);
  return {
      row_name("batched gemm " + std::to_string(batches) + "x" + std::to_string(c.M) + "x" +
                   std::to_string(c.N) + "x" + std::to_string(c.K),
               dtype),
      n * c.bytes(dtype),
      {a, b},
      [=](Tensors& in) -> Tensors { return {gemm(in[0], in[1], Transpose::no, Transpose::yes)}; },
      [=](const Tensors& got) {
        const Tensor want = gemm(wide(a), wide(b), Transpose::no, Transpose::yes);
        return close_within(got[0], want, c.tolerance(dtype, largest(want)));
      },
      n* c.flops()};
}

}  // namespace

std::vector<Row> index_rows(DType dtype, int megabytes) {
  const auto size = static_cast<std::int64_t>(size_of(dtype));
  const std::int64_t elements = (std::int64_t{megabytes} << 20) / size;
  const std::int64_t images = std::max<std::int64_t>(1, elements / (64 * 64 * 64));
  const Tensor nhwc = normal({images, 64, 64, 64}, dtype, {1, 0, 8});
  const Tensor rgb = normal({elements / (3 * 64 * 64) + 1, 64, 64, 3}, dtype, {1, 0, 9});
  std::vector<Row> rows;
  rows.push_back(permute_row("NHWC to NCHW", {nhwc.shape(), {0, 3, 1, 2}}, nhwc));
  const Tensor nchw = nhwc.reshape({images, 64, 64, 64});
  rows.push_back(permute_row("NCHW to NHWC", {nchw.shape(), {0, 2, 3, 1}}, nchw));
  rows.push_back(permute_row("RGB to planes", {rgb.shape(), {0, 3, 1, 2}}, rgb));
  const Tensor planes = rgb.reshape({rgb.size(0), 3, 64, 64});
  rows.push_back(permute_row("planes to RGB", {planes.shape(), {0, 2, 3, 1}}, planes));
  const Tensor matrix = nhwc.reshape({images * 64, 64 * 64});
  rows.push_back(permute_row("transpose", {matrix.shape(), {1, 0}}, matrix));
  rows.push_back(permute_row("exchange H and W", {nhwc.shape(), {0, 2, 1, 3}}, nhwc));
  rows.push_back(concat_row("concat channels", {nhwc.shape(), 3, {32, 32}}, nhwc));
  rows.push_back(concat_row("concat rows", {nhwc.shape(), 1, {16, 48}}, nhwc));
  rows.push_back(slice_row("slice channels", nhwc, 3, 16, 48));
  rows.push_back(place_row("slice channels gradient", nhwc, 3, 16, 128));
  add_embedding_rows({{10000, 64}, 0, {elements / 64}}, dtype, rows);
  add_gather_rows({{elements / 64, 64}, 1, 32}, dtype, rows);
  rows.push_back(gemm_row(8 * std::int64_t{megabytes}, {64, 64, 64}, dtype));
  rows.push_back(gemm_row(std::max(1, megabytes / 4), {256, 256, 64}, dtype));
  return rows;
}

}  // namespace imago::bench
