#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "kernels/gemm/cases.h"
#include "tensor/context.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;

namespace {

struct Operands {
  Tensor a, b;
  Transpose ta, tb;

  Operands to(Device device) const { return {a.to(device), b.to(device), ta, tb}; }
};

Tensor run(const Operands& o, Engine engine) {
  return gemm(o.a, o.b, o.ta, o.tb, engine);
}

std::vector<Engine> engines_for(Device device, DType dtype) {
  const bool f32 = dtype == DType::f32;
  if (device.is_cuda()) {
    return f32 ? std::vector{Engine::naive, Engine::tiled, Engine::blocked}
               : std::vector{Engine::naive, Engine::tiled};
  }
  if (dtype == DType::f64) return {Engine::reference};
  return {Engine::reference, Engine::direct};
}

// Runs f(device, engine) for every engine that takes `dtype`, but for the largest problems under
// the emulator; a case of its own stands for those.
template <class F>
void for_engines(const GemmCase& c, DType dtype, F&& f) {
  test::for_each_device([&](Device device) {
    if (IMAGO_EMULATED && device.is_cuda() && c.flops() > (dtype == DType::f32 ? 1.3e6 : 2e5))
      return;
    for (const Engine engine : engines_for(device, dtype)) {
      CAPTURE(name_of(dtype));
      CAPTURE(name_of(engine));
      f(device, engine);
    }
  });
}

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

TEST_CASE("gemm: the reference is the sum of outer products, exactly, on small integers") {
  const test::Guarded guarded;
  for_all([](const GemmCase& c, Transpose ta, Transpose tb) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Operands o = operands(c, dtype, ta, tb, test::small_integers);
      const Tensor got = run(o, Engine::reference);
      CHECK(got.dtype() == dtype);
      CHECK(test::largest_error(got, expected(c, o)) == 0.0);
    }
  });
}

TEST_CASE("gemm: every engine is the reference, exactly, on small integers, in every order") {
  const test::Guarded guarded;
  for_all([](const GemmCase& c, Transpose ta, Transpose tb) {
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
      const Operands o = operands(c, dtype, ta, tb, test::small_integers);
      const Tensor want = run(o, Engine::reference);
      for_engines(c, dtype, [&](Device device, Engine engine) {
        const Operands there = o.to(device);
        test::for_each_order(device, [&] { CHECK(same_bits(run(there, engine), want)); });
      });
    }
  });
}

TEST_CASE("gemm: random inputs stay within the tolerance") {
  const test::Guarded guarded;
  for_all([](const GemmCase& c, Transpose ta, Transpose tb) {
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
      const Operands o = operands(c, dtype, ta, tb, test::normals);
      const Tensor want = expected(c, o);
      const double bound = c.tolerance(dtype, test::largest(want));
      for_engines(c, dtype, [&](Device device, Engine engine) {
        const Operands there = o.to(device);
        const Tensor got = run(there, engine);
        CHECK(test::largest_error(got, want) <= bound);
        if (engine != Engine::blocked) return;
        // The order of a sum is a matter of shapes, not of addresses.
        CHECK(same_bits(run({test::off_boundary(there.a), there.b, ta, tb}, engine), got));
        CHECK(same_bits(run({there.a, test::off_boundary(there.b), ta, tb}, engine), got));
      });
    }
  });
}

#if IMAGO_WITH_DEVICE
TEST_CASE("gemm on CUDA: wide and tall tiles, and the shapes at the ends of a GAN") {
  const test::Guarded guarded;
  test::for_each_device([](Device device) {
    if (!device.is_cuda()) return;
    // 132 tiles of 128 x 128; 128 x 64 with a split depth; a generator's first layer, in part, and
    // a discriminator's last one.
    for (const GemmCase& c : {GemmCase{1409, 1408, 8}, GemmCase{66, 68, 300},
                              GemmCase{128, 1024, 100}, GemmCase{128, 1, 8192}}) {
      CAPTURE(c.M);
      CAPTURE(c.N);
      CAPTURE(c.K);
      const Operands o =
          operands(c, DType::f32, Transpose::no, Transpose::no, test::small_integers);
      CHECK(same_bits(run(o, Engine::automatic), run(o.to(Device::cpu()), Engine::direct)));
    }
  });
}

#endif

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
        "[gemm] a and b are matrices or batches of them, but they are (2, 3) and (3,)");
  CHECK(message_of(a, Tensor::zeros({3, 2}, DType::bf16)) ==
        "[gemm] a is f32 but b is bf16; cast one of them");
  CHECK(message_of(Tensor::zeros({2, 0}), Tensor::zeros({0, 2})).find("no extent is 0") !=
        std::string::npos);
  CHECK(message_of(Tensor::zeros({2, 3}, DType::f64), Tensor::zeros({3, 2}, DType::f64),
                   Engine::direct) ==
        "[gemm] engine direct cannot do 2 x 2 x 3 in f64: direct takes f32 and bf16; use auto or "
        "reference");
  CHECK(message_of(a, Tensor::zeros({3, 2}), Engine::wgmma)
            .find("engine wgmma does not run on the CPU") != std::string::npos);
  if (!cuda_available()) return;
  const Tensor there = a.to(Device::cuda()), square = Tensor::zeros({3, 2}).to(Device::cuda());
  CHECK(message_of(there, square, Engine::direct) ==
        "[gemm] engine direct does not run on CUDA here; use one of auto, blocked, tiled, naive");
  CHECK(message_of(Tensor::zeros({2, 3}, DType::f64).to(Device::cuda()),
                   Tensor::zeros({3, 2}, DType::f64).to(Device::cuda()), Engine::blocked)
            .find("engine blocked cannot do 2 x 2 x 3 in f64") != std::string::npos);
  CHECK(message_of(a, square).find("a is on cpu but b is on cuda:0") != std::string::npos);
}
