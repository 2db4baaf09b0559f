// The reader of declarations that other tests build on.
#include <doctest/doctest.h>

#include "tests/support/declarations.h"

using namespace imago::test;

TEST_CASE("declarations: functions are found, with what tells them apart") {
  const std::string header = R"(// Var not_this(const Var& x);
#pragma once
#include "a(b).h"

namespace imago::ops {

using kernels::logical_and;
using kernels::Gelu;
using Vars = std::vector<Var>;
enum class Kind { one, two };
struct Options {
  double size(int i) const { return 1; }
  Var inner(const Var& x);
};
class Later;
inline constexpr int count = of(3);
inline constexpr int braces{3};

Var relu(const Var& x);  // Var nor_this(int i);
Var pow(const Var& x, double exponent);
Var pow(const Var& a, const Var& b);
Vars split(const Var& x, int axis, const std::vector<std::int64_t>& extents);
Var norm(const Var& x, double p = 2, const std::map<int, int>& axes = {1, 2},
         DrawKey key = Context::current().generator.next(1, 2));
inline Tensor equal(const Var& a, const Var& b) {
  if (a) { return f(a); }
  return g(b);
}
Var now();
Var now(int
            later);

namespace inner {
NormOutput deeper(const Var& x);
}
}  // namespace imago::ops
)";
  const std::vector<Declaration> found = declared_functions(header);
  CHECK(labels_of(found) == std::vector<std::string>{"logical_and", "relu", "pow(x, exponent)",
                                                     "pow(a, b)", "split", "norm", "equal", "now()",
                                                     "now(later)", "deeper"});
  REQUIRE(found.size() == 10);
  CHECK(found[0].result == "using");
  CHECK(found[1].result == "Var");
  CHECK(found[4].result == "Vars");
  CHECK(found[4].parameters == std::vector<std::string>{"x", "axis", "extents"});
  CHECK(found[5].parameters == std::vector<std::string>{"x", "p", "axes", "key"});
  CHECK(found[6].result == "Tensor");
  CHECK(found[9].result == "NormOutput");
  CHECK(declared_functions("").empty());
}

TEST_CASE("declarations: the final classes below a base are found, however they are spaced") {
  const std::string header = R"(#pragma once
// class NotThis final : public Module {};
namespace imago::nn {
class Module;
enum class Kind : int { one };
struct Options {
  int base = 0;
};
template <class T>
class ConvLayer : public Module {
 public:
  ConvLayer() : params_(), kind_(Kind::one) {}
};
class Conv2d final : public ConvLayer {
 public:
  explicit Conv2d(const Options& o) : ConvLayer(o) {}
};
class Tanh final: public nn::Module{};
struct Small final
    : Module { };
class Wide final : public virtual Module, public Other {};
class Elsewhere final : public Optimizer {};
class Alone final {};
}  // namespace imago::nn
)";
  CHECK(final_classes(header, "Module") ==
        std::set<std::string>{"Conv2d", "Small", "Tanh", "Wide"});
  CHECK(final_classes(header, "Optimizer") == std::set<std::string>{"Elsewhere"});
  CHECK(final_classes(header, "ConvLayer") == std::set<std::string>{"Conv2d"});
  CHECK(final_classes("class A final : public B {}; class B final : public A {};", "C").empty());
  CHECK(final_classes("struct A final :", "B").empty());
  CHECK(final_classes("", "Module").empty());
}
