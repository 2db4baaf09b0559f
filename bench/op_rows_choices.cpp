// Comparisons and choices.
#include "bench/op_rows.h"
#include "kernels/elementwise/compare.h"
#include "kernels/random/random.h"

namespace imago::bench {

using namespace kernels;
using Tensors = std::vector<Tensor>;

std::vector<Row> choice_rows(DType dtype, int megabytes) {
  constexpr std::int64_t channels = 64;
  const std::int64_t element = static_cast<std::int64_t>(size_of(dtype));
  const std::int64_t rows = (std::int64_t{megabytes} << 20) / element / channels;
  const Tensor x = normal({rows, channels}, dtype, {1, 0, 0});
  const Tensor y = normal({rows, channels}, dtype, {1, 0, 1});
  const Tensor number = normal({}, dtype, {1, 0, 2});
  const Tensor mask = less(x, number), other = less(y, number);
  const Tensor pixels = less(normal({rows, 1}, dtype, {1, 0, 3}), number);
  const auto n = static_cast<double>(x.numel());
  const auto e = static_cast<double>(element);
  const std::string suffix = std::string("/") + name_of(dtype);

  const auto exactly = [](const Tensor& want) {
    return [=](const Tensors& got) { return same_bits(got[0], want); };
  };
  const auto comparison = [&](const char* name, Comparison op, const Tensor& a, const Tensor& b,
                              double bytes) {
    return Row{name + suffix,
               bytes,
               {a, b},
               [=](Tensors& in) -> Tensors { return {compare(op, in[0], in[1])}; },
               exactly(compare_reference(op, a, b))};
  };
  const auto choice = [&](const char* name, const Tensor& m, const Tensor& a, const Tensor& b,
                          double bytes) {
    return Row{name + suffix,
               bytes,
               {m, a, b},
               [](Tensors& in) -> Tensors { return {where(in[0], in[1], in[2])}; },
               exactly(where_reference(m, a, b))};
  };
  return {
      comparison("less", Comparison::less, x, y, n * (2 * e + 1)),
      comparison("less than a number", Comparison::less, x, number, n * (e + 1)),
      comparison("logical_and of masks", Comparison::logical_and, mask, other, n * 3),
      choice("where", mask, x, y, n * (3 * e + 1)),
      choice("where, else a number", mask, x, number, n * (2 * e + 1)),
      choice("where per pixel", pixels, x, y, n * 3 * e + static_cast<double>(rows)),
  };
}

}  // namespace imago::bench
