#include "autograd/ops/matmul.h"
#include "op_case.h"

namespace imago::test {

std::vector<OpCase> matmul_cases() {
  using ops::Transpose;
  std::vector<OpCase> cases;
  for (const Transpose ta : {Transpose::no, Transpose::yes}) {
    for (const Transpose tb : {Transpose::no, Transpose::yes}) {
      const std::string name =
          std::string(ta == Transpose::yes ? "At" : "A") + (tb == Transpose::yes ? " Bt" : " B");
      cases.push_back(
          {"matmul", name,
           [ta, tb](DType t, Size size) {
             const std::int64_t s = size == Size::large ? 60 : 1;
             const Shape a = ta == Transpose::yes ? Shape{4 * s, 3 * s} : Shape{3 * s, 4 * s};
             const Shape b = tb == Transpose::yes ? Shape{5 * s, 4 * s} : Shape{4 * s, 5 * s};
             return leaves(t, {a, b});
           },
           [ta, tb](const Vars& v) { return Vars{ops::matmul(v[0], v[1], ta, tb)}; }});
    }
  }
  // Batches, and operands that all products of a batch share.
  struct Batch {
    std::string name;
    Shape a, b;
    Transpose ta, tb;
  };
  constexpr Transpose no = Transpose::no, yes = Transpose::yes;
  for (const Batch& c : {Batch{"batch A B", {3, 2, 3}, {3, 3, 2}, no, no},
                         Batch{"batch At Bt", {2, 3, 2}, {2, 2, 3}, yes, yes},
                         Batch{"shared A Bt", {2, 3}, {2, 2, 3}, no, yes},
                         Batch{"batch At, one B", {2, 3, 2}, {1, 3, 2}, yes, no},
                         Batch{"batch A, shared Bt", {2, 2, 3}, {2, 3}, no, yes}}) {
    cases.push_back({"matmul", c.name,
                     [c](DType t, Size size) {
                       const auto sized = [&](Shape shape) {
                         if (size == Size::small) return shape;
                         for (int d = shape.dim() - 2; d < shape.dim(); ++d) {
                           shape.set(d, 50 * shape[d]);
                         }
                         return shape;
                       };
                       return leaves(t, {sized(c.a), sized(c.b)});
                     },
                     [c](const Vars& v) { return Vars{ops::matmul(v[0], v[1], c.ta, c.tb)}; }});
  }
  return cases;
}

}  // namespace imago::test
