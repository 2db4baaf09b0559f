// Operations that move elements: permute, place, and concat and slice along inner axes; choosing by
// index and its adjoints.
#include "autograd/ops/concat.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/gather.h"
#include "autograd/ops/index_add.h"
#include "autograd/ops/index_select.h"
#include "autograd/ops/permute.h"
#include "autograd/ops/place.h"
#include "autograd/ops/scatter_add.h"
#include "autograd/ops/slice.h"
#include "op_case.h"

namespace imago::test {

namespace {

// Indices in [0, extent), some of them several times, on the device of the Context.
Tensor some_indices(const Shape& shape, std::int64_t extent) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < shape.numel(); ++i) values.push_back((i * i * 7 + 3 * i) % extent);
  return Tensor::from(std::span<const std::int64_t>(values), shape);
}

}  // namespace

std::vector<OpCase> index_cases() {
  const auto of = [](const std::vector<Shape>& shapes) {
    return [shapes](DType t, Size s) {
      std::vector<Shape> sized;
      for (const Shape& shape : shapes) sized.push_back(taller(shape, s));
      return leaves(t, sized);
    };
  };
  return {
      {"permute", "NHWC to NCHW", of({{2, 3, 2, 4}}),
       [](const Vars& v) {
         return Vars{ops::permute(v[0], {0, -1, 1, 2})};
       }},
      {"transpose", "units of several elements", of({{3, 2, 4}}),
       [](const Vars& v) { return Vars{ops::transpose(v[0], 1, 0)}; }},
      {"place", "inner axis", of({{3, 2, 2}}),
       [](const Vars& v) { return Vars{ops::place(v[0], 1, 1, 4)}; }},
      {"place", "outermost axis", of({{3, 2}}),
       [](const Vars& v) { return Vars{ops::place(v[0], 0, 2, v[0].size(0) + 3)}; },
       Serial::backward},
      {"concat", "channels", of({{3, 2}, {3, 4}}),
       [](const Vars& v) { return Vars{ops::concat(v, -1)}; }},
      {"stack", "along a new inner axis", of({{3, 2}, {3, 2}}),
       [](const Vars& v) { return Vars{ops::stack(v, 1)}; }},
      {"slice(x, axis, begin, end)", "inner axis", of({{3, 5, 2}}),
       [](const Vars& v) { return Vars{ops::slice(v[0], 1, 1, 4)}; }},
      {"split", "three parts, one empty", of({{3, 5}}),
       [](const Vars& v) {
         return ops::split(v[0], 1, {2, 0, 3});
       }},
      {"index_select", "rows", of({{5, 3}}),
       [](const Vars& v) {
         const std::int64_t n = v[0].size(0);
         return Vars{ops::index_select(v[0], 0, some_indices({n + 2}, n))};
       }},
      {"index_select", "inner axis, a matrix of indices", of({{3, 4, 2}}),
       [](const Vars& v) {
         return Vars{ops::index_select(v[0], -2, some_indices({2, 3}, 4))};
       }},
      {"index_add", "a matrix of indices", of({{4, 3, 2}}),
       [](const Vars& v) {
         return Vars{ops::index_add(v[0], 0, some_indices({v[0].size(0), 3}, 5), 5)};
       }},
      {"embedding", "", of({{5, 3}}),
       [](const Vars& v) {
         const std::int64_t n = v[0].size(0);
         return Vars{ops::embedding(v[0], some_indices({n, 2}, n))};
       }},
      {"gather", "innermost axis", of({{4, 5}}),
       [](const Vars& v) {
         return Vars{ops::gather(v[0], -1, some_indices({v[0].size(0), 2}, 5))};
       }},
      {"gather", "outermost axis", of({{5, 3}}),
       [](const Vars& v) {
         const std::int64_t n = v[0].size(0);
         return Vars{ops::gather(v[0], 0, some_indices({n - 1, 3}, n))};
       }},
      {"scatter_add", "", of({{3, 4, 2}}),
       [](const Vars& v) {
         return Vars{ops::scatter_add(v[0], 1, some_indices(v[0].shape(), 3), 3)};
       }},
  };
}

}  // namespace imago::test
