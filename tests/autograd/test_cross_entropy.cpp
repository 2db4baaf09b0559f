// What the table of cases cannot say of cross-entropy: rows that do not count.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "tests/support/devices.h"

using namespace imago;

TEST_CASE("cross_entropy: what an ignored row holds reaches no derivative, of any order") {
  test::for_each_device([](Device) {
    const float odd = std::nanf("");
    const Tensor labels = Tensor::from<std::int64_t>({2, -100, 0, -100}, {4});
    // The same problem with numbers in the ignored rows, and with NaN and infinity.
    std::vector<Tensor> firsts, seconds, thirds;
    for (const bool holes : {false, true}) {
      const float a = holes ? odd : 1, b = holes ? HUGE_VALF : 1;
      const Var x =
          parameter(Tensor::from<float>({1, 2, 3, a, 1, 1, -1, 0, 0.5f, 1, b, 0}, {4, 3}));
      const GradOptions graph{.create_graph = true};
      const Var dx = grad({ops::cross_entropy(x, labels)}, {x}, {}, graph)[0];
      const Var twice = grad({ops::sum(ops::mul(dx, dx))}, {x}, {}, graph)[0];
      const Var again = grad({ops::sum(ops::mul(twice, twice))}, {x})[0];
      firsts.push_back(dx.tensor());
      seconds.push_back(twice.tensor());
      thirds.push_back(again.tensor());
    }
    for (const auto& of : {firsts, seconds, thirds}) {
      CHECK(same_bits(of[1], of[0]));
      const Tensor host = of[0].to(Device::cpu());
      CHECK(host.data<float>()[0] != 0);
      for (const int i : {3, 4, 5, 9, 10, 11}) CHECK(host.data<float>()[i] == 0);
    }
  });
}
