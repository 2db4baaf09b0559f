#include "autograd/composite.h"
#include "autograd/ops/add.h"
#include "autograd/ops/broadcast_to.h"
#include "autograd/ops/identity.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sum_to.h"
#include "op_case.h"

namespace imago::test {

std::vector<OpCase> arithmetic_cases() {
  const auto two = [](const Shape& a, const Shape& b) {
    return [a, b](DType t, Size s) {
      return leaves(t, {taller(a, s), a.dim() == b.dim() ? taller(b, s) : b});
    };
  };
  const auto one = [](const Shape& a) {
    return [a](DType t, Size s) { return leaves(t, {taller(a, s)}); };
  };
  return {
      {"add", "same shape", two({2, 3}, {2, 3}),
       [](const Vars& v) { return Vars{ops::add(v[0], v[1])}; }, Serial::backward},
      {"add", "per channel", two({2, 2, 3}, {3}),
       [](const Vars& v) { return Vars{ops::add(v[0], v[1])}; }},
      {"mul", "both broadcast", two({2, 1, 3}, {4, 1}),
       [](const Vars& v) { return Vars{ops::mul(v[0], v[1])}; }},
      {"mul", "with itself", one({5}), [](const Vars& v) { return Vars{ops::mul(v[0], v[0])}; }},
      {"scale", "", one({2, 3}), [](const Vars& v) { return Vars{ops::scale(v[0], -2.5)}; }},
      {"sum_to", "inner and outer", one({2, 3, 4}),
       [](const Vars& v) {
         return Vars{ops::sum_to(v[0], {3, 1})};
       }},
      {"sum(x)", "", one({2, 3}), [](const Vars& v) { return Vars{ops::sum(v[0])}; }},
      {"mean(x)", "", one({2, 3}), [](const Vars& v) { return Vars{ops::mean(v[0])}; }},
      {"broadcast_to", "", one({3, 1}),
       [](const Vars& v) {
         return Vars{ops::broadcast_to(v[0], {2, v[0].size(0), 4})};
       }},
      {"reshape(x, extents)", "", one({2, 6}),
       [](const Vars& v) {
         return Vars{ops::reshape(v[0], {3, -1})};
       },
       Serial::both},
      {"reshape(x, shape)", "", one({2, 6}),
       [](const Vars& v) {
         const Shape shape{4, v[0].numel() / 4};
         return Vars{ops::reshape(v[0], shape)};
       },
       Serial::both},
      {"identity", "", one({4}), [](const Vars& v) { return Vars{ops::identity(v[0])}; },
       Serial::both},
  };
}

}  // namespace imago::test
