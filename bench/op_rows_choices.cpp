// Comparisons and choices.
#include "bench/op_rows.h"
#include "bench/row_checks.h"
#include "kernels/elementwise/compare.h"
#include "kernels/random/random.h"

namespace imago::bench {

using namespace kernels;
using Tensors = std::vector<Tensor>;

namespace {

Row comparison_row(Comparison op, const Tensor& a, const Tensor& b) {
  const auto n = static_cast<double>(a.numel());  // b may be one number
  return {static_cast<double>(a.nbytes() + b.nbytes()) + n,
          {a, b},
          [=](Tensors& in) -> Tensors { return {compare(op, in[0], in[1])}; },
          [=](const Tensors& got) { return same_bits(got[0], compare_reference(op, a, b)); }};
}

Row where_row(const Tensor& mask, const Tensor& a, const Tensor& b) {
  return {static_cast<double>(mask.nbytes() + 2 * a.nbytes() + b.nbytes()),
          {mask, a, b},
          [](Tensors& in) -> Tensors { return {where(in[0], in[1], in[2])}; },
          [=](const Tensors& got) { return same_bits(got[0], where_reference(mask, a, b)); }};
}

}  // namespace

void add_choice_rows(DType dtype, int megabytes, RowList& rows) {
  constexpr std::int64_t channels = 64;
  const std::int64_t element = static_cast<std::int64_t>(size_of(dtype));
  const std::int64_t count = (std::int64_t{megabytes} << 20) / element / channels;
  const Tensor x = normal({count, channels}, dtype, {1, 0, 0});
  // Half of them those of x.
  const Tensor y = maximum(x, normal({count, channels}, dtype, {1, 0, 1}));
  const Tensor number = normal({}, dtype, {1, 0, 2});
  const Tensor mask = less(x, number), other = less(y, number);
  const Tensor pixels = less(normal({count, 1}, dtype, {1, 0, 3}), number);

  const auto add_comparison = [&](const std::string& name, Comparison op, const Tensor& a,
                                  const Tensor& b) {
    rows.add(row_name(name, dtype), [&] { return comparison_row(op, a, b); });
  };
  for (const Comparison op :
       {Comparison::equal, Comparison::not_equal, Comparison::less, Comparison::less_equal}) {
    add_comparison(name_of(op), op, x, y);
  }
  add_comparison("less than a number", Comparison::less, x, number);
  for (const Comparison op : {Comparison::logical_and, Comparison::logical_or}) {
    add_comparison(name_of(op) + std::string(" of masks"), op, mask, other);
  }
  rows.add(row_name("logical_not of masks", dtype), [&] {
    return Row{2 * static_cast<double>(mask.nbytes()),
               {mask},
               [](Tensors& in) -> Tensors { return {logical_not(in[0])}; },
               [=](const Tensors& got) {
                 const Tensor zero = Tensor::zeros({}, DType::u8);
                 return same_bits(got[0], compare_reference(Comparison::equal, mask, zero));
               }};
  });
  rows.add(row_name("where", dtype), [&] { return where_row(mask, x, y); });
  rows.add(row_name("where, else a number", dtype), [&] { return where_row(mask, x, number); });
  rows.add(row_name("where per pixel", dtype), [&] { return where_row(pixels, x, y); });
}

}  // namespace imago::bench
