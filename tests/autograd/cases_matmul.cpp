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
  return cases;
}

}  // namespace imago::test
