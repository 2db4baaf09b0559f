#include <doctest/doctest.h>

#include <string>

#include "kernels/gemm/cases.h"
#include "tensor/context.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::kernels;

namespace {

struct Operands {
  Tensor a, b;
  Transpose ta, tb;
};

template <class Make>
Operands operands(const GemmCase& c, DType dtype, Transpose ta, Transpose tb, Make&& make) {
  return {make(ta == Transpose::yes ? Shape{c.K, c.M} : Shape{c.M, c.K}, dtype, 1),
          make(tb == Transpose::yes ? Shape{c.N, c.K} : Shape{c.K, c.N}, dtype, 2), ta, tb};
}

// Outer products in f64, where the engines take dot products.
Tensor expected(const GemmCase& c, const Operands& o) {
  const Tensor a = test::to_f64(o.a), b = test::to_f64(o.b);
  Tensor out = Tensor::zeros({c.M, c.N}, DType::f64);
  double* p = out.mutable_data<double>();
  for (std::int64_t k = 0; k < c.K; ++k) {
    for (std::int64_t i = 0; i < c.M; ++i) {
      for (std::int64_t j = 0; j < c.N; ++j) {
        p[i * c.N + j] += a.data<double>()[o.ta == Transpose::yes ? k * c.M + i : i * c.K + k] *
                          b.data<double>()[o.tb == Transpose::yes ? j * c.K + k : k * c.N + j];
      }
    }
  }
  return out;
}

template <class F>
void for_all(F&& f) {
  for (const GemmCase& c : gemm_cases()) {
    for (const Transpose ta : {Transpose::no, Transpose::yes}) {
      for (const Transpose tb : {Transpose::no, Transpose::yes}) {
        CAPTURE(c.M);
        CAPTURE(c.N);
        CAPTURE(c.K);
        CAPTURE(static_cast<bool>(ta));
        CAPTURE(static_cast<bool>(tb));
        f(c, ta, tb);
      }
    }
  }
}

std::string message_of(const Tensor& a, const Tensor& b, Engine engine = Engine::automatic) {
  return test::error_of([&] { gemm(a, b, Transpose::no, Transpose::no, engine); });
}

}  // namespace

TEST_CASE("gemm: exact on small integers") {
  const test::Guarded guarded;
  for_all([](const GemmCase& c, Transpose ta, Transpose tb) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Operands o = operands(c, dtype, ta, tb, test::small_integers);
      const Tensor got = gemm(o.a, o.b, ta, tb);
      CHECK(got.dtype() == dtype);
      CHECK(test::largest_error(got, expected(c, o)) == 0.0);
      const Tensor plain = gemm(o.a, o.b, ta, tb, Engine::reference);
      CHECK(test::largest_error(plain, got) == 0.0);
    }
  });
}

TEST_CASE("gemm: random inputs stay within the tolerance") {
  for_all([](const GemmCase& c, Transpose ta, Transpose tb) {
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
      const Operands o = operands(c, dtype, ta, tb, test::normals);
      const Tensor want = expected(c, o);
      CHECK(test::largest_error(gemm(o.a, o.b, ta, tb), want) <=
            c.tolerance(dtype, test::largest(want)));
    }
  });
}

TEST_CASE("gemm: the number of threads does not change a bit, nor does a second run") {
  const ContextScope scope;
  for_all([](const GemmCase& c, Transpose ta, Transpose tb) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const Operands o = operands(c, dtype, ta, tb, test::normals);
      set_num_threads(1);
      const Tensor one = gemm(o.a, o.b, ta, tb);
      for (const int threads : {1, 2, 3}) {
        set_num_threads(threads);
        CHECK(same_bits(gemm(o.a, o.b, ta, tb), one));
      }
    }
  });
}

TEST_CASE("gemm: messages name what was expected and what came") {
  const Tensor a = Tensor::zeros({2, 3}), b = Tensor::zeros({4, 5});
  CHECK(message_of(a, b) == "[gemm] inner extents differ: a (2, 3) has 3, b (4, 5) has 4");
  CHECK(message_of(a, Tensor::zeros({3})) ==
        "[gemm] a and b are matrices, but they are (2, 3) and (3,)");
  CHECK(message_of(a, Tensor::zeros({3, 2}, DType::bf16)) ==
        "[gemm] a is f32 but b is bf16; cast one of them");
  CHECK(message_of(Tensor::zeros({2, 0}), Tensor::zeros({0, 2})).find("no extent is 0") !=
        std::string::npos);
  CHECK(message_of(Tensor::zeros({2, 3}, DType::f64), Tensor::zeros({3, 2}, DType::f64),
                   Engine::direct) ==
        "[gemm] engine direct cannot do 2 x 2 x 3 in f64: direct takes f32; use auto or reference");
  CHECK(message_of(a, Tensor::zeros({3, 2}), Engine::wgmma)
            .find("engine wgmma does not run on the CPU") != std::string::npos);
}
