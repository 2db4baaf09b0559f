#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "kernels/concat/concat.h"
#include "kernels/gemm/cases.h"
#include "kernels/parallel.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;

namespace {

// Batches of a and b; 0 is a matrix.
struct Batches {
  std::int64_t a, b;
};
const std::vector<Batches> batchings{{3, 3}, {3, 1}, {1, 2}, {0, 2}, {2, 0}, {1, 1}};

const std::vector<GemmCase> problems{{1, 1, 1}, {7, 5, 3}, {33, 34, 35}, {4, 40, 20}, {36, 4, 300}};

Tensor operand(std::int64_t batches, std::int64_t rows, std::int64_t columns, Transpose trans,
               DType dtype, std::uint64_t seed) {
  if (trans == Transpose::yes) std::swap(rows, columns);
  const Shape shape = batches ? Shape{batches, rows, columns} : Shape{rows, columns};
  return test::small_integers(shape, dtype, seed);
}

// The products one by one, by the engine that is tested without batches.
Tensor expected(const Tensor& a, const Tensor& b, Transpose ta, Transpose tb) {
  const auto matrix = [](const Tensor& t, std::int64_t i) {
    if (t.dim() == 2) return t;
    return t.slice(t.size(0) == 1 ? 0 : i, (t.size(0) == 1 ? 0 : i) + 1)
        .reshape({t.size(1), t.size(2)});
  };
  const std::int64_t batches = std::max(a.dim() == 3 ? a.size(0) : 1, b.dim() == 3 ? b.size(0) : 1);
  std::vector<Tensor> products;
  for (std::int64_t i = 0; i < batches; ++i) {
    products.push_back(gemm(matrix(a, i), matrix(b, i), ta, tb, Engine::reference));
  }
  return stack(products);
}

template <class F>
void for_all(F&& f) {
  for (const GemmCase& c : problems) {
    for (const Batches& batches : batchings) {
      for (const Transpose ta : {Transpose::no, Transpose::yes}) {
        for (const Transpose tb : {Transpose::no, Transpose::yes}) {
          if (c.flops() > 1e3 && ta == tb) continue;  // one of each kind is enough
          CAPTURE(c.M);
          CAPTURE(c.N);
          CAPTURE(c.K);
          CAPTURE(batches.a);
          CAPTURE(batches.b);
          CAPTURE(static_cast<bool>(ta));
          CAPTURE(static_cast<bool>(tb));
          f(c, batches, ta, tb);
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("gemm of a batch: every engine is the products one by one, exactly, in every order") {
  const test::Guarded guarded;
  for_all([](const GemmCase& c, const Batches& batches, Transpose ta, Transpose tb) {
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
      CAPTURE(dtype);
      const Tensor a = operand(batches.a, c.M, c.K, ta, dtype, 1);
      const Tensor b = operand(batches.b, c.K, c.N, tb, dtype, 2);
      const Tensor want = expected(a, b, ta, tb);
      test::for_each_device([&](Device device) {
        std::vector<Engine> engines{Engine::reference};
        if (dtype != DType::f64) engines.push_back(Engine::direct);
        if (device.is_cuda()) {
          engines = {Engine::naive, Engine::tiled};
          if (dtype == DType::f32) engines.push_back(Engine::blocked);
          if (IMAGO_EMULATED && c.flops() > 1e5 && dtype != DType::f32) engines.resize(1);
        }
        const Tensor there_a = a.to(device), there_b = b.to(device);
        for (const Engine engine : engines) {
          CAPTURE(name_of(engine));
          CHECK(same_bits(gemm(there_a, there_b, ta, tb, engine), want));
        }
      });
    }
  });
}

TEST_CASE("gemm of a batch: depths are split per product, and orders do not matter") {
  const test::Guarded guarded;
  test::for_each_device([](Device device) {
    const Tensor a = test::normals({2, 20, 300}, DType::f32, 1);
    const Tensor b = test::normals({2, 300, 24}, DType::f32, 2);
    const Tensor want = gemm(test::to_f64(a), test::to_f64(b));
    const double bound = GemmCase{20, 24, 300}.tolerance(DType::f32, test::largest(want));
    const Tensor first = gemm(a, b);
    CHECK(test::largest_error(first, want) <= bound);
    test::for_each_order(device, [&] { CHECK(same_bits(gemm(a, b), first)); });
  });
}

TEST_CASE("gemm of a batch: the number of threads does not change a bit, and threads are used") {
  const ContextScope scope;
  struct Sizes {
    std::int64_t batches, m, n, k;
  };
  // Many small products, few large ones, and few small ones.
  for (const Sizes& s : {Sizes{20, 30, 40, 50}, Sizes{3, 120, 130, 140}, Sizes{2, 20, 20, 20}}) {
    const Tensor a = test::normals({s.batches, s.m, s.k}, DType::f32, 1);
    const Tensor b = test::normals({s.batches, s.k, s.n}, DType::f32, 2);
    set_num_threads(1);
    const Tensor one = gemm(a, b);
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      const std::int64_t before = Context::current().shared_regions;
      CHECK(same_bits(gemm(a, b), one));
      CHECK((!has_threads || Context::current().shared_regions > before));
    }
    for (std::int64_t i = 0; i < s.batches; ++i) {
      const Tensor single =
          gemm(a.slice(i, i + 1).reshape({s.m, s.k}), b.slice(i, i + 1).reshape({s.k, s.n}));
      CHECK(same_bits(one.slice(i, i + 1).reshape({s.m, s.n}), single));
    }
  }
}

TEST_CASE("gemm of a batch: messages name what was expected and what came") {
  const auto message = [](const Shape& a, const Shape& b) {
    return test::error_of([&] { gemm(Tensor::zeros(a), Tensor::zeros(b)); });
  };
  CHECK(message({3, 2, 4}, {2, 4, 5}) ==
        "[gemm] batches differ: a (3, 2, 4) has 3, b (2, 4, 5) has 2; they agree or one of them "
        "is 1");
  CHECK(message({3, 2, 4}, {3, 5}) ==
        "[gemm] inner extents differ: a (3, 2, 4) has 4, b (3, 5) has 3");
  CHECK(message({0, 2, 4}, {4, 5}).find("no extent is 0") != std::string::npos);
  CHECK(message({1, 1, 2, 4}, {4, 5}).find("matrices or batches of them") != std::string::npos);
}
