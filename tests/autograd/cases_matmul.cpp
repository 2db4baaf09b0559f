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
      const Shape a = ta == Transpose::yes ? Shape{4, 3} : Shape{3, 4};
      const Shape b = tb == Transpose::yes ? Shape{5, 4} : Shape{4, 5};
      cases.push_back({"matmul", name,
                       [a, b](DType t) {
                         return leaves(t, {a, b});
                       },
                       [ta, tb](const Vars& v) { return Vars{ops::matmul(v[0], v[1], ta, tb)}; }});
    }
  }
  return cases;
}

}  // namespace imago::test
