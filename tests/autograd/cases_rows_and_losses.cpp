// concat, slice, binary cross-entropy.
#include "autograd/ops/bce_with_logits.h"
#include "autograd/ops/bce_with_logits_grad.h"
#include "autograd/ops/concat.h"
#include "autograd/ops/slice.h"
#include "op_case.h"

namespace imago::test {

std::vector<OpCase> rows_and_losses_cases() {
  const auto of = [](const std::vector<Shape>& shapes, const Range& range = {}) {
    return [shapes, range](DType t, Size s) {
      std::vector<Shape> sized;
      for (const Shape& shape : shapes) sized.push_back(shape.dim() > 0 ? taller(shape, s) : shape);
      return leaves(t, sized, range);
    };
  };
  return {
      {"concat", "three parts, one empty", of({{2, 3}, {0, 3}, {1, 3}}),
       [](const Vars& v) { return Vars{ops::concat(v)}; }, Serial::backward},
      {"concat", "a part twice", of({{2, 2}}),
       [](const Vars& v) {
         return Vars{ops::concat({v[0], v[0]})};
       }},
      {"slice(x, begin, end)", "inner rows", of({{5, 2, 2}}),
       [](const Vars& v) { return Vars{ops::slice(v[0], 1, v[0].size(0) - 1)}; }, Serial::forward},
      {"slice(x, begin, end)", "all rows and none", of({{3, 2}}),
       [](const Vars& v) {
         return Vars{ops::slice(v[0], 0, v[0].size(0)), ops::slice(v[0], 1, 1)};
       },
       Serial::forward},
      {"bce_with_logits", "", of({{3, 2}, {3, 2}}, {0.1, 0.9}),
       [](const Vars& v) { return Vars{ops::bce_with_logits(v[0], v[1])}; }},
      {"bce_with_logits_grad", "", of({{}, {3, 2}, {3, 2}}, {0.1, 0.9}),
       [](const Vars& v) { return Vars{ops::bce_with_logits_grad(v[0], v[1], v[2])}; }},
  };
}

}  // namespace imago::test
