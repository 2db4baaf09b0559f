#include "kernels/engine.h"

#include <doctest/doctest.h>

#include "tests/support/errors.h"

using namespace imago;
using namespace imago::kernels;

TEST_CASE("the CPU's engine: what is asked for is checked, auto takes direct where it can") {
  const auto choose = [](Engine asked, bool direct) {
    return choose_cpu_engine("op", asked,
                             {.dtype = DType::f64,
                              .direct = direct,
                              .direct_takes = "f32",
                              .reference_seconds = 0,
                              .describe = [] { return std::string("2 x 3"); }});
  };
  CHECK(choose(Engine::automatic, true) == Engine::direct);
  CHECK(choose(Engine::automatic, false) == Engine::reference);
  CHECK(choose(Engine::direct, true) == Engine::direct);
  CHECK(choose(Engine::reference, true) == Engine::reference);
  CHECK(test::error_of([&] { choose(Engine::direct, false); }) ==
        "[op] engine direct cannot do 2 x 3 in f64: direct takes f32; use auto or reference");
  CHECK(test::error_of([&] { choose(Engine::cudnn, true); }) ==
        "[op] engine cudnn does not run on the CPU; use auto, direct or reference");
}

TEST_CASE("the CPU's engine: only a problem that is slow on the reference is described") {
  int described = 0;
  const auto choose = [&](double seconds, bool direct) {
    choose_cpu_engine("op of the test", Engine::automatic,
                      {.dtype = DType::bf16,
                       .direct = direct,
                       .direct_takes = "f32",
                       .reference_seconds = seconds,
                       .describe = [&] { return ++described, std::string("a big problem"); }});
  };
  choose(1e-3, false);
  choose(10.0, true);
  CHECK(described == 0);
  choose(10.0, false);
  CHECK(described == 1);
}
