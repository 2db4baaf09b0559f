// Functions that have no gradient: comparisons, places in a tensor, and rows made of labels.
#include "autograd/ops/compare.h"
#include "autograd/ops/max.h"
#include "autograd/ops/one_hot.h"
#include "op_case.h"

namespace imago::test {
namespace {

Tensor mask(std::initializer_list<std::uint8_t> values) {
  return Tensor::from(values, {5});
}

}  // namespace

Vars constant_inputs() {
  return {parameter(Tensor::from<float>({-2, 0, 3, 1, 0}, {5})),
          parameter(Tensor::from<float>({-2, 1, 2, 0, 0}, {5}))};
}

std::vector<ConstantCase> constant_cases() {
  using In = const Var&;
  return {
      {"equal(a, b)", [](In a, In b) { return ops::equal(a, b); }, mask({1, 0, 0, 0, 1})},
      {"equal(a, number)", [](In a, In) { return ops::equal(a, 1); }, mask({0, 0, 0, 1, 0})},
      {"not_equal(a, b)", [](In a, In b) { return ops::not_equal(a, b); }, mask({0, 1, 1, 1, 0})},
      {"not_equal(a, number)", [](In a, In) { return ops::not_equal(a, 1); },
       mask({1, 1, 1, 0, 1})},
      {"less(a, b)", [](In a, In b) { return ops::less(a, b); }, mask({0, 1, 0, 0, 0})},
      {"less(a, number)", [](In a, In) { return ops::less(a, 1); }, mask({1, 1, 0, 0, 1})},
      {"less_equal(a, b)", [](In a, In b) { return ops::less_equal(a, b); }, mask({1, 1, 0, 0, 1})},
      {"less_equal(a, number)", [](In a, In) { return ops::less_equal(a, 1); },
       mask({1, 1, 0, 1, 1})},
      {"greater(a, b)", [](In a, In b) { return ops::greater(a, b); }, mask({0, 0, 1, 1, 0})},
      {"greater(a, number)", [](In a, In) { return ops::greater(a, 1); }, mask({0, 0, 1, 0, 0})},
      {"greater_equal(a, b)", [](In a, In b) { return ops::greater_equal(a, b); },
       mask({1, 0, 1, 1, 1})},
      {"greater_equal(a, number)", [](In a, In) { return ops::greater_equal(a, 1); },
       mask({0, 0, 1, 1, 0})},
      {"logical_and", [](In a, In b) { return ops::logical_and(a.tensor(), b.tensor()); },
       mask({1, 0, 1, 0, 0})},
      {"logical_or", [](In a, In b) { return ops::logical_or(a.tensor(), b.tensor()); },
       mask({1, 1, 1, 1, 0})},
      {"logical_not", [](In a, In) { return ops::logical_not(a.tensor()); }, mask({0, 1, 0, 0, 1})},
      {"greater_share", [](In a, In b) { return ops::greater_share(a, b); },
       Tensor::from<float>({0.5f, 0, 1, 1, 0.5f}, {5})},
      {"sign", [](In a, In) { return ops::sign(a); }, Tensor::from<float>({-1, 0, 1, 1, 0}, {5})},
      {"argmax(x, axis, keepdim)", [](In a, In) { return ops::argmax(a, 0, true); },
       Tensor::from<std::int64_t>({2}, {1})},
      {"argmax(x)", [](In a, In) { return ops::argmax(a); }, Tensor::from<std::int64_t>({2}, {})},
      {"one_hot", [](In a, In) { return ops::one_hot(ops::argmax(a, 0, true), 4); },
       Tensor::from<float>({0, 0, 1, 0}, {1, 4})},
  };
}

}  // namespace imago::test
