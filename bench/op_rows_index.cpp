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

namespace imago::bench {
namespace {

using namespace kernels;
using Tensors = std::vector<Tensor>;

Row permute_row(const PermuteCase& c, const Tensor& x) {
  return {c.bytes(x.dtype()),
          {x},
          [=](Tensors& in) -> Tensors { return {permute(in[0], c.order)}; },
          [=](const Tensors& got) {
            return same_bits(got[0], permute(x, c.order, Engine::reference));
          }};
}

Row concat_row(const AxisCase& c, const Tensor& x) {
  const Tensors parts = split(x, c.axis, c.extents);
  return {c.bytes(x.dtype()), parts, [=](Tensors& in) -> Tensors { return {concat(in, c.axis)}; },
          [=](const Tensors& got) { return same_bits(got[0], x); }};
}

// Elements [begin, end) of an axis, and the gradient of that.
Row slice_row(const Tensor& x, int axis, std::int64_t begin, std::int64_t end) {
  const Tensor want = slice_reference(x, axis, begin, end);
  return {2.0 * static_cast<double>(want.nbytes()),
          {x},
          [=](Tensors& in) -> Tensors { return {slice(in[0], axis, begin, end)}; },
          [=](const Tensors& got) { return same_bits(got[0], want); }};
}

Row place_row(const Tensor& x, int axis, std::int64_t begin, std::int64_t extent) {
  const Tensor want = place_reference(x, axis, begin, extent);
  return {static_cast<double>(x.nbytes() + want.nbytes()),
          {x},
          [=](Tensors& in) -> Tensors { return {place(in[0], axis, begin, extent)}; },
          [=](const Tensors& got) { return same_bits(got[0], want); }};
}

// Looking up rows of a table, and the sum of their gradients.
Row embedding_row(const SelectCase& c, DType dtype) {
  const Tensor table = normal(c.x, dtype, {1, 0, 10});
  const Tensor indices = indices_below(c.x[0], c.indices);
  return {c.bytes(dtype),
          {table, indices},
          [](Tensors& in) -> Tensors { return {index_select(in[0], 0, in[1])}; },
          [=](const Tensors& got) {
            return same_bits(got[0], index_select_reference(table, 0, indices));
          }};
}

Row embedding_grad_row(const SelectCase& c, DType dtype) {
  const Tensor indices = indices_below(c.x[0], c.indices);
  const Tensor dy = normal({c.indices[0], c.x[1]}, dtype, {1, 0, 11});
  const std::int64_t extent = c.x[0];
  const auto table = static_cast<double>(c.x.numel()) * static_cast<double>(size_of(dtype));
  return {static_cast<double>(indices.nbytes() + dy.nbytes()) + table,
          {dy, indices},
          [=](Tensors& in) -> Tensors { return {index_add(in[0], 0, in[1], extent)}; },
          [=](const Tensors& got) {
            return same_bits(got[0], index_add_reference(dy, 0, indices, extent));
          }};
}

Row gather_row(const GatherCase& c, DType dtype) {
  const Tensor x = normal(c.x, dtype, {1, 0, 12});
  const Tensor indices = indices_below(c.x[c.axis], c.indices());
  return {
      c.bytes(dtype),
      {x, indices},
      [=](Tensors& in) -> Tensors { return {gather(in[0], c.axis, in[1])}; },
      [=](const Tensors& got) { return same_bits(got[0], gather_reference(x, c.axis, indices)); }};
}

Row scatter_add_row(const GatherCase& c, DType dtype) {
  const std::int64_t extent = c.x[c.axis];
  const Tensor indices = indices_below(extent, c.indices());
  const Tensor dy = normal(c.indices(), dtype, {1, 0, 13});
  const auto sums = static_cast<double>(c.x.numel()) * static_cast<double>(size_of(dtype));
  return {static_cast<double>(indices.nbytes() + dy.nbytes()) + sums,
          {dy, indices},
          [=](Tensors& in) -> Tensors { return {scatter_add(in[0], c.axis, in[1], extent)}; },
          [=](const Tensors& got) {
            return same_bits(got[0], scatter_add_reference(dy, c.axis, indices, extent));
          }};
}

// Products of matrices of the sizes that attention has: bound by arithmetic.
void add_gemm_row(std::int64_t batches, const GemmCase& c, DType dtype, RowList& rows) {
  const std::string sizes = std::to_string(batches) + "x" + std::to_string(c.M) + "x" +
                            std::to_string(c.N) + "x" + std::to_string(c.K);
  rows.add(row_name("batched gemm " + sizes, dtype), [&] {
    const Tensor a = normal({batches, c.M, c.K}, dtype, {1, 0, 14});
    const Tensor b = normal({batches, c.N, c.K}, dtype, {1, 0, 15});
    const auto n = static_cast<double>(batches);
    return Row{
        n * c.bytes(dtype),
        {a, b},
        [](Tensors& in) -> Tensors { return {gemm(in[0], in[1], Transpose::no, Transpose::yes)}; },
        [=](const Tensors& got) {
          const Tensor want = gemm(wide(a), wide(b), Transpose::no, Transpose::yes);
          return close_within(got[0], want, c.tolerance(dtype, largest(want)));
        },
        n* c.flops()};
  });
}

}  // namespace

void add_index_rows(DType dtype, int megabytes, RowList& rows) {
  const auto size = static_cast<std::int64_t>(size_of(dtype));
  const std::int64_t elements = (std::int64_t{megabytes} << 20) / size;
  const std::int64_t images = std::max<std::int64_t>(1, elements / (64 * 64 * 64));
  const Tensor nhwc = normal({images, 64, 64, 64}, dtype, {1, 0, 8});
  const Tensor rgb = normal({elements / (3 * 64 * 64) + 1, 64, 64, 3}, dtype, {1, 0, 9});
  const Tensor planes = rgb.reshape({rgb.size(0), 3, 64, 64});
  const Tensor matrix = nhwc.reshape({images * 64, 64 * 64});
  const auto add = [&](const char* name, const std::function<Row()>& make) {
    rows.add(row_name(name, dtype), make);
  };
  const auto add_permute = [&](const char* name, const Tensor& x, const PermuteCase& c) {
    add(name, [&] { return permute_row(c, x); });
  };
  add_permute("NHWC to NCHW", nhwc, {nhwc.shape(), {0, 3, 1, 2}});
  add_permute("NCHW to NHWC", nhwc, {nhwc.shape(), {0, 2, 3, 1}});  // 64 of each
  add_permute("RGB to planes", rgb, {rgb.shape(), {0, 3, 1, 2}});
  add_permute("planes to RGB", planes, {planes.shape(), {0, 2, 3, 1}});
  add_permute("transpose", matrix, {matrix.shape(), {1, 0}});
  add_permute("exchange H and W", nhwc, {nhwc.shape(), {0, 2, 1, 3}});
  add("concat channels", [&] { return concat_row({nhwc.shape(), 3, {32, 32}}, nhwc); });
  add("concat rows", [&] { return concat_row({nhwc.shape(), 1, {16, 48}}, nhwc); });
  add("slice channels", [&] { return slice_row(nhwc, 3, 16, 48); });
  add("slice channels gradient", [&] { return place_row(nhwc, 3, 16, 128); });
  const SelectCase lookup{{10000, 64}, 0, {elements / 64}};
  add("embedding", [&] { return embedding_row(lookup, dtype); });
  add("embedding gradient", [&] { return embedding_grad_row(lookup, dtype); });
  const GatherCase picks{{elements / 64, 64}, 1, 32};
  add("gather", [&] { return gather_row(picks, dtype); });
  add("scatter_add", [&] { return scatter_add_row(picks, dtype); });
  add_gemm_row(8 * std::int64_t{megabytes}, {64, 64, 64}, dtype, rows);
  add_gemm_row(std::max(1, megabytes / 4), {256, 256, 64}, dtype, rows);
}

}  // namespace imago::bench
