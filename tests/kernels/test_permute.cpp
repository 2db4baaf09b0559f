#include <doctest/doctest.h>

#include <vector>

#include "kernels/parallel.h"
#include "kernels/permute/cases.h"
#include "kernels/permute/permute.h"
#include "kernels/permute/plan.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/index_inputs.h"
#include "tests/kernels/permute_engines.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;

namespace {

std::vector<int> inverse(const std::vector<int>& order) {
  std::vector<int> back(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    back[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
  }
  return back;
}

}  // namespace

TEST_CASE("permute: the reference on a matrix and on an image, by hand") {
  const Tensor m = Tensor::from<std::int32_t>({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(same_bits(permute(m, {1, 0}, Engine::reference),
                  Tensor::from<std::int32_t>({1, 4, 2, 5, 3, 6}, {3, 2})));
  // (N, H, W, C) = (1, 2, 1, 3) -> (1, 3, 2, 1)
  const Tensor image = Tensor::from<std::uint8_t>({10, 20, 30, 11, 21, 31}, {1, 2, 1, 3});
  CHECK(same_bits(permute(image, {0, 3, 1, 2}, Engine::reference),
                  Tensor::from<std::uint8_t>({10, 11, 20, 21, 30, 31}, {1, 3, 2, 1})));
  CHECK(permute(image, {0, -1, 1, 2}).shape() == Shape{1, 3, 2, 1});
}

TEST_CASE("permute: every engine moves every dtype as the reference does, in every order") {
  const test::Guarded guarded;
  test::for_each_device([](Device device) {
    for (const PermuteCase& c : permute_cases()) {
      CAPTURE(c.x);
      for (const DType dtype : test::all_dtypes) {
        CAPTURE(dtype);
        const Tensor x = test::counted(c.x, dtype);
        const Tensor want = permute(x.to(Device::cpu()), c.order, Engine::reference);
        for (const Engine engine : test::permute_engines(x, c.order)) {
          CAPTURE(name_of(engine));
          test::for_each_order(device,
                               [&] { CHECK(same_bits(permute(x, c.order, engine), want)); });
        }
        if (x.numel() == 0) continue;
        CHECK(same_bits(permute(test::off_boundary(x), c.order), want));
        CHECK(same_bits(permute(permute(x, c.order), inverse(c.order)), x));
      }
    }
  });
}

TEST_CASE("permute: results of many megabytes, which go past the caches") {
  const ContextScope scope;
  const Tensor x = test::counted({3, 251, 67, 42}, DType::f64);
  CHECK(x.nbytes() > (std::size_t{16} << 20));
  for (const std::vector<int>& order :
       {std::vector{0, 3, 1, 2}, std::vector{0, 2, 1, 3}, std::vector{0, 1, 2, 3}}) {
    CAPTURE(order);
    const Tensor want = permute(x, order, Engine::reference);
    for (const int threads : {1, 3}) {
      set_num_threads(threads);
      CHECK(same_bits(permute(x, order), want));
    }
  }
}

TEST_CASE("permute: the number of threads does not change a bit, and threads are used") {
  const ContextScope scope;
  const Tensor x = test::normals({4, 61, 67, 35}, DType::f32, 1);
  for (const std::vector<int>& order :
       {std::vector{0, 3, 1, 2}, std::vector{1, 2, 0, 3}, std::vector{0, 1, 2, 3}}) {
    set_num_threads(1);
    const Tensor one = permute(x, order);
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      const std::int64_t before = Context::current().shared_regions;
      CHECK(same_bits(permute(x, order), one));
      CHECK((!has_threads || Context::current().shared_regions > before));
    }
  }
}

TEST_CASE("transpose exchanges two axes") {
  test::for_each_device([](Device) {
    const Tensor x = test::counted({3, 4, 5}, DType::f32);
    CHECK(same_bits(transpose(x, 0, 2), permute(x, {2, 1, 0})));
    CHECK(same_bits(transpose(x, -1, -2), permute(x, {0, 2, 1})));
    CHECK(same_bits(transpose(x, 1, 1), x));
  });
}

TEST_CASE("permute: axes are merged and dropped before anything moves") {
  const auto plan = [](const Shape& x, std::vector<int> order) { return plan_permute(x, order); };
  CHECK(plan({2, 3, 4}, {0, 1, 2}).is_copy());
  CHECK(plan({2, 1, 4}, {1, 0, 2}).is_copy());
  const PermutePlan image = plan({8, 16, 16, 64}, {0, 3, 1, 2});
  CHECK(image.unit == 1);
  REQUIRE(image.loops.size() == 3);
  CHECK(image.loops[2].extent == 256);
  CHECK(image.columns == 1);
  const PermutePlan rows = plan({5, 6, 3, 2}, {1, 0, 2, 3});
  CHECK(rows.unit == 6);
  CHECK(rows.loops.size() == 2);
}

TEST_CASE("permute: messages name what was expected and what came") {
  const Tensor x = Tensor::zeros({2, 3});
  const auto message = [&](std::vector<int> order, Engine engine = Engine::automatic) {
    return test::error_of([&] { permute(x, order, engine); });
  };
  CHECK(message({0}) == "[permute] the order (0) does not name every axis of (2, 3) once");
  CHECK(message({0, 0}) == "[permute] the order (0, 0) does not name every axis of (2, 3) once");
  CHECK(message({1, -1}) == "[permute] the order (1, -1) does not name every axis of (2, 3) once");
  CHECK(message({0, 1, 2}).find("does not name every axis") != std::string::npos);
  CHECK(message({1, 0}, Engine::tiled).find("engine tiled does not run on the CPU") !=
        std::string::npos);
  CHECK(test::error_of([&] { transpose(x, 0, 2); }) ==
        "[transpose] axes 0 and 2 do not both exist in (2, 3)");
  CHECK(test::error_of([&] { permute(Tensor(), {}); }) == "[permute] the argument is undefined");
#if IMAGO_WITH_DEVICE
  const Tensor there = Tensor::zeros({2, 3}).to(Device::cuda());
  CHECK(test::error_of([&] {
          permute(there, {0, 1}, Engine::tiled);
        }).find("engine tiled cannot do (2, 3) in f32") != std::string::npos);
#endif
}
