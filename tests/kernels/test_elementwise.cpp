#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/elementwise/cases.h"
#include "tensor/context.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;

namespace {

const DType floating[] = {DType::f32, DType::f64, DType::bf16};

Tensor between(double low, double high, const Shape& shape, DType dtype, std::uint64_t seed) {
  RandomStream stream(seed);
  return test::filled(shape, dtype, [&] {
    return stream.uniform(static_cast<float>(low), static_cast<float>(high));
  });
}

// True when every element of `got` is within the tolerance of the f64 result `want`.
template <class Case>
bool within(const Case& c, const Tensor& got, const Tensor& want) {
  if (!(got.shape() == want.shape())) return false;
  const Tensor g = test::to_f64(got);
  for (std::int64_t i = 0; i < g.numel(); ++i) {
    const double value = want.data<double>()[i];
    const double error = std::fabs(g.data<double>()[i] - value);
    if (!(error <= c.tolerance(got.dtype(), value, got.device()))) {
      MESSAGE("element " << i << " is " << g.data<double>()[i] << ", not " << value);
      return false;
    }
  }
  return true;
}

float f32_of(Unary op, float x, double a = 0, double b = 0) {
  return static_cast<float>(unary(op, Tensor::from<float>({x}, {1}), a, b).item());
}

}  // namespace

TEST_CASE("elementwise: unary functions agree with the specification at odd sizes") {
  const test::Guarded guarded;
  test::for_each_device([&](Device device) {
    for (const UnaryCase& c : unary_cases()) {
      for (const DType dtype : floating) {
        for (const std::int64_t n : {0, 1, 3, 16, 61, 1009, 65539}) {
          if (IMAGO_EMULATED && device.is_cuda() && n > 5000) continue;  // many blocks of one kind
          CAPTURE(name_of(c.op));
          CAPTURE(n);
          const Tensor x = between(c.low, c.high, {n}, dtype, 1);
          const Tensor want = unary_reference(c.op, test::to_f64(x), c.a, c.b);
          const Tensor got = unary(c.op, x, c.a, c.b);
          CHECK(within(c, got, want));
          test::for_each_order(device, [&] { CHECK(same_bits(unary(c.op, x, c.a, c.b), got)); });
        }
      }
    }
  });
}

TEST_CASE("elementwise: binary functions agree with the specification in every broadcast") {
  const test::Guarded guarded;
  test::for_each_device([&](Device device) {
    for (const BinaryCase& c : binary_cases()) {
      for (const BroadcastCase& shapes : broadcast_cases()) {
        if (!broadcasts(c.op) && !(shapes.a == shapes.b)) continue;
        for (const DType dtype : floating) {
          const bool large = shapes.a.numel() > 5000 || shapes.b.numel() > 5000;
          // The places of the operands do not depend on what is done with them.
          if (IMAGO_EMULATED && device.is_cuda() && large &&
              (c.op != Binary::sub || dtype != DType::bf16)) {
            continue;
          }
          CAPTURE(name_of(c.op));
          CAPTURE(shapes.a);
          CAPTURE(shapes.b);
          Tensor x = test::normals(shapes.a, dtype, 2);
          if (c.positive) x = abs(x);
          // Away from 0 for div, inside (0, 1) for the gradients of bounded functions.
          const Tensor y = between(0.05, 0.95, shapes.b, dtype, 3);
          const Tensor want = binary_reference(c.op, test::to_f64(x), test::to_f64(y), c.a, c.b);
          const Tensor got = binary(c.op, x, y, c.a, c.b);
          CHECK(within(c, got, want));
          if (large) continue;
          test::for_each_order(device,
                               [&] { CHECK(same_bits(binary(c.op, x, y, c.a, c.b), got)); });
        }
      }
    }
  });
}

TEST_CASE("elementwise: values at the ends of the range, and NaN") {
  test::for_each_device([&](Device) {
    const float inf = std::numeric_limits<float>::infinity();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float tiny = std::numeric_limits<float>::denorm_min();
    CHECK(f32_of(Unary::exp, 0) == 1);
    CHECK(f32_of(Unary::exp, -inf) == 0);
    CHECK(f32_of(Unary::exp, inf) == inf);
    CHECK(f32_of(Unary::exp, 89) == inf);
    CHECK(f32_of(Unary::exp, 88) == doctest::Approx(std::exp(88.0)));
    CHECK(f32_of(Unary::exp, -103) == tiny);
    CHECK(f32_of(Unary::log, 1) == 0);
    CHECK(f32_of(Unary::log, 0) == -inf);
    CHECK(f32_of(Unary::log, inf) == inf);
    CHECK(std::isnan(f32_of(Unary::log, -1)));
    CHECK(f32_of(Unary::log, tiny) == doctest::Approx(std::log(double(tiny))));
    CHECK(f32_of(Unary::tanh, inf) == 1);
    CHECK(f32_of(Unary::tanh, -inf) == -1);
    CHECK(f32_of(Unary::tanh, 1e-20f) == 1e-20f);
    CHECK(std::signbit(f32_of(Unary::tanh, -0.0f)));
    CHECK(f32_of(Unary::sigmoid, inf) == 1);
    CHECK(f32_of(Unary::sigmoid, -inf) == 0);
    CHECK(f32_of(Unary::softplus, -inf) == 0);
    CHECK(f32_of(Unary::softplus, 1000) == 1000);
    CHECK(f32_of(Unary::relu, -3) == 0);
    CHECK(std::isnan(f32_of(Unary::sqrt, -1)));
    CHECK(f32_of(Unary::erf, inf) == 1);
    CHECK(f32_of(Unary::erf, -5) == -1);
    CHECK(std::signbit(f32_of(Unary::erf, -0.0f)));
    for (const Unary op : {Unary::gelu, Unary::gelu_tanh, Unary::silu}) {
      CAPTURE(name_of(op));
      CHECK(f32_of(op, inf) == inf);
      CHECK(f32_of(op, -inf) == 0);
      CHECK(f32_of(op, 1e30f) == 1e30f);
      CHECK(f32_of(op, -1e30f) == 0);
    }
    CHECK(f32_of(Unary::rsqrt, 0) == inf);
    CHECK(f32_of(Unary::reciprocal, -0.0f) == -inf);
    CHECK(std::signbit(f32_of(Unary::sign, -0.0f)));
    CHECK(f32_of(Unary::clamp, inf, -1, 2) == 2);
    CHECK(f32_of(Unary::clamp, -inf, -1, inf) == -1);
    for (const UnaryCase& c : unary_cases()) {
      CAPTURE(name_of(c.op));
      CHECK(std::isnan(f32_of(c.op, nan, c.a, c.b)));
    }
    // The position of a value in the SIMD loop does not matter.
    for (const UnaryCase& c : unary_cases()) {
      const Tensor x = between(c.low, c.high, {77}, DType::f32, 5);
      const Tensor all = unary(c.op, x, c.a, c.b);
      for (std::int64_t i = 0; i < 77; ++i) {
        CHECK(same_bits(unary(c.op, x.slice(i, i + 1), c.a, c.b), all.slice(i, i + 1)));
      }
    }
  });
}

TEST_CASE("elementwise: known answers") {
  test::for_each_device([&](Device) {
    const Tensor x = Tensor::from<double>({-2, -0.5, 0, 1, 3}, {5});
    const auto is = [&](const Tensor& got, std::initializer_list<double> want) {
      return test::largest_error(got, Tensor::from<double>(want, {5})) <= 1e-12;
    };
    CHECK(is(neg(x), {2, 0.5, 0, -1, -3}));
    CHECK(is(square(x), {4, 0.25, 0, 1, 9}));
    CHECK(is(abs(x), {2, 0.5, 0, 1, 3}));
    CHECK(is(relu(x), {0, 0, 0, 1, 3}));
    CHECK(is(leaky_relu(x, 0.1), {-0.2, -0.05, 0, 1, 3}));
    CHECK(is(scale(x, -2), {4, 1, 0, -2, -6}));
    CHECK(is(add_scalar(x, 0.5), {-1.5, 0, 0.5, 1.5, 3.5}));
    CHECK(is(exp(x),
             {0.1353352832366127, 0.6065306597126334, 1, 2.718281828459045, 20.085536923187668}));
    CHECK(is(tanh(x), {-0.9640275800758169, -0.46211715726000975, 0, 0.7615941559557649,
                       0.9950547536867305}));
    CHECK(is(sigmoid(x), {0.11920292202211755, 0.3775406687981454, 0.5, 0.7310585786300049,
                          0.9525741268224334}));
    CHECK(is(softplus(x), {0.1269280110429726, 0.4740769841801067, 0.6931471805599453,
                           1.3132616875182228, 3.048587351573742}));
    CHECK(is(sign(x), {-1, -1, 0, 1, 1}));
    CHECK(is(clamp(x, {.low = -1, .high = 2}), {-1, -0.5, 0, 1, 2}));
    CHECK(is(clamp(x, {.low = 0.5}), {0.5, 0.5, 0.5, 1, 3}));
    CHECK(is(clamp(x, {.high = 0.5}), {-2, -0.5, 0, 0.5, 0.5}));
    CHECK(is(erf(x), {-0.9953222650189527, -0.5204998778130465, 0, 0.8427007929497149,
                      0.9999779095030014}));
    CHECK(is(gelu(x), {-0.04550026389635842, -0.15426876936299349, 0, 0.8413447460685429,
                       2.99595030590511}));
    CHECK(is(gelu(x, Gelu::tanh), {-0.04540230591222498, -0.15428599017485608, 0,
                                   0.8411919906082768, 2.996362607918227}));
    CHECK(is(silu(x), {-0.23840584404423515, -0.1887703343990727, 0, 0.7310585786300049,
                       2.857722380467269}));
    const Tensor p = Tensor::from<double>({0.25, 1, 2, 4, 9}, {5});
    CHECK(is(rsqrt(p), {2, 1, 0.7071067811865475, 0.5, 1.0 / 3}));
    CHECK(is(reciprocal(p), {4, 1, 0.5, 0.25, 1.0 / 9}));
    CHECK(is(pow(p, 1.5), {0.125, 1, 2.8284271247461903, 8, 27}));
    CHECK(is(pow(p, x), {16, 1, 1, 4, 729}));
    CHECK(is(maximum(p, x), {0.25, 1, 2, 4, 9}));
    CHECK(is(minimum(p, scale(x, 3)), {-6, -1.5, 0, 3, 9}));
    CHECK(is(prelu(x, Tensor::from<double>({0.25}, {1})), {-0.5, -0.125, 0, 1, 3}));
    CHECK(is(prelu_factor(x, p), {0.25, 1, 2, 1, 1}));
    CHECK(is(prelu_slope_grad(p, x), {-0.5, -0.5, 0, 0, 0}));
    CHECK(is(clamp_grad(p, x, {.low = -0.5, .high = 1}), {0, 1, 2, 4, 0}));
    CHECK(is(gelu_grad(p, x), {-0.021307950269549224, 0.13250487534383716, 1, 4.3332618823507452,
                               9.1075108248376553}));
    CHECK(is(gelu_grad(p, x, Gelu::tanh), {-0.021524814155904595, 0.13263009646535769, 1,
                                           4.3318563353831302, 9.1042574996787275}));
    CHECK(is(silu_grad(p, x), {-0.02269606219622387, 0.26003881269734819, 1, 3.7106820474859469,
                               9.7929369541365266}));
    CHECK(is(sqrt(p), {0.5, 1, 1.4142135623730951, 2, 3}));
    CHECK(is(log(p),
             {-1.3862943611198906, 0, 0.6931471805599453, 1.3862943611198906, 2.1972245773362196}));
    CHECK(is(sub(x, p), {-2.25, -1.5, -2, -3, -6}));
    CHECK(is(div(x, p), {-8, -0.5, 0, 0.25, 1.0 / 3}));
    CHECK(is(tanh_grad(p, x), {-0.75, 0.75, 2, 0, -72}));
    CHECK(is(sigmoid_grad(p, x), {-1.5, -0.75, 0, 0, -54}));
    CHECK(is(relu_grad(p, x), {0, 0, 0, 4, 9}));
    CHECK(is(abs_grad(p, x), {-0.25, -1, 0, 4, 9}));
    CHECK(is(leaky_relu_grad(p, x, 0.5), {0.125, 0.5, 1, 4, 9}));
  });
}

TEST_CASE("elementwise: pow has the special cases of the C library") {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> bases{0,     -0.0f,  1,   -1,   2,   -2,     0.5f,    -0.5f,
                                 1e30f, -1e30f, inf, -inf, nan, 1e-42f, -1e-42f, 1 + 0x1p-23f};
  const std::vector<float> exponents{0,     1,     -1,       2,          3,       -3,       0.5f,
                                     -0.5f, 2.75f, 1e-30f,   8388607,    8388609, 16777216, inf,
                                     -inf,  nan,   -8388607, 4194303.5f, 127,     -149};
  test::for_each_device([&](Device) {
    const auto rows = static_cast<std::int64_t>(bases.size());
    const auto columns = static_cast<std::int64_t>(exponents.size());
    const Tensor a = Tensor::from<float>(bases, {rows, 1});
    const Tensor table = pow(a, Tensor::from<float>(exponents, {columns})).to(Device::cpu());
    for (std::int64_t j = 0; j < columns; ++j) {
      const float y = exponents[static_cast<std::size_t>(j)];
      const Tensor column = unary(Unary::pow, a, y).to(Device::cpu());
      for (std::int64_t i = 0; i < rows; ++i) {
        const float x = bases[static_cast<std::size_t>(i)];
        CAPTURE(x);
        CAPTURE(y);
        const double exact = std::pow(static_cast<double>(x), static_cast<double>(y));
        const auto want = static_cast<float>(exact);
        for (const float got : {table.data<float>()[i * columns + j], column.data<float>()[i]}) {
          if (std::isnan(want)) {
            CHECK(std::isnan(got));
          } else {
            CHECK(std::signbit(got) == std::signbit(want));
            // Next to an infinity every number would be within its share of it.
            CHECK((got == want ||
                   (std::isfinite(want) && std::fabs(got - exact) <= 0x1p-23 * std::fabs(exact))));
          }
        }
      }
    }
    // Exponents with a function of their own.
    const Tensor x = Tensor::from<double>({0.25, 1, 4}, {3});
    CHECK(same_bits(pow(x, 2), square(x)));
    CHECK(same_bits(pow(x, 1), x));
    CHECK(same_bits(pow(x, 0.5), sqrt(x)));
    CHECK(same_bits(pow(x, -0.5), rsqrt(x)));
    CHECK(same_bits(pow(x, -1), reciprocal(x)));
    CHECK(same_bits(pow(x, 0), full({3}, 1, DType::f64, x.device())));
  });
}

TEST_CASE("elementwise: maximum and minimum keep NaN") {
  test::for_each_device([&](Device) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const Tensor a = Tensor::from<float>({nan, 1, nan, 2, -3}, {5});
    const Tensor b = Tensor::from<float>({1, nan, nan, -2, -3}, {5});
    for (const Tensor& got : {maximum(a, b), minimum(a, b)}) {
      const Tensor host = got.to(Device::cpu());
      for (int i = 0; i < 3; ++i) CHECK(std::isnan(host.data<float>()[i]));
    }
    CHECK(same_bits(maximum(a, b).slice(3, 5), Tensor::from<float>({2, -3}, {2})));
    CHECK(same_bits(minimum(a, b).slice(3, 5), Tensor::from<float>({-2, -3}, {2})));
    CHECK(same_bits(greater_share(a, b), Tensor::from<float>({0.5f, 0.5f, 0.5f, 1, 0.5f}, {5})));
  });
}

TEST_CASE("elementwise: the number of threads does not change a bit") {
  const ContextScope scope;
  for (const DType dtype : floating) {
    const Tensor x = between(0.1, 2, {70001, 3}, dtype, 6);
    const Tensor y = between(0.1, 2, {3}, dtype, 7);
    for (const UnaryCase& c : unary_cases()) {
      set_num_threads(1);
      const Tensor one = unary(c.op, x, c.a, c.b);
      for (const int threads : {2, 3}) {
        set_num_threads(threads);
        CHECK(same_bits(unary(c.op, x, c.a, c.b), one));
      }
    }
    set_num_threads(1);
    const Tensor one = div(x, y);
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      CHECK(same_bits(div(x, y), one));
    }
  }
}

TEST_CASE("elementwise: add_into and fill write in place and count as a change") {
  const test::Guarded guarded;
  test::for_each_device([&](Device device) {
    for (const DType dtype : floating) {
      const Tensor start = test::small_integers({7, 1009}, dtype, 8);
      const Tensor b = test::small_integers({7, 1009}, dtype, 9);
      const Tensor want = add(start, b);
      test::for_each_order(device, [&] {
        Tensor a = start.clone();
        const auto before = a.version();
        add_into(a, b);
        CHECK(same_bits(a, want));
        CHECK(a.version() > before);
        const Tensor twice = scale(a, 2);
        add_into(a, a);
        CHECK(same_bits(a, twice));
      });
    }
    for (const DType dtype :
         {DType::f32, DType::f64, DType::bf16, DType::i32, DType::i64, DType::u8}) {
      Tensor x = Tensor::empty({33001}, dtype);
      const auto before = x.version();
      fill(x, 7);
      CHECK(x.version() > before);
      CHECK(same_bits(x, Tensor::full({33001}, 7, dtype, Device::cpu())));
      const Tensor made = full({3, 7}, 1000.7, dtype, device);
      CHECK(made.device() == device);
      CHECK(same_bits(made, Tensor::full({3, 7}, 1000.7, dtype, Device::cpu())));
    }
  });
}

// In-place writes to elements [begin, begin + n) of a tensor: every distance from a multiple of 16
// bytes, and nothing beside them changes.
TEST_CASE("elementwise: slices that begin and end anywhere") {
  const test::Guarded guarded;
  const std::int64_t all = 80;
  test::for_each_device([&](Device device) {
    for (const DType dtype : floating) {
      const Tensor start = test::small_integers({all}, dtype, 10);
      const Tensor term = test::small_integers({all}, dtype, 11);
      const Tensor sum = add(start, term), filled = Tensor::full({all}, 7, dtype);
      for (std::int64_t begin = 0; begin <= 8; ++begin) {
        for (const std::int64_t n : {0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 61}) {
          CAPTURE(dtype);
          CAPTURE(begin);
          CAPTURE(n);
          const std::int64_t end = begin + n;
          const auto only_there = [&](const Tensor& changed, const Tensor& want) {
            CHECK(same_bits(changed.slice(begin, end), want.slice(begin, end)));
            CHECK(same_bits(changed.slice(0, begin), start.slice(0, begin)));
            CHECK(same_bits(changed.slice(end, all), start.slice(end, all)));
          };
          test::for_each_order(device, [&] {
            Tensor x = start.clone(), y = start.clone();
            Tensor part = x.slice(begin, end);
            add_into(part, term.slice(begin, end));
            only_there(x, sum);
            part = y.slice(begin, end);
            fill(part, 7);
            only_there(y, filled);
          });
          // A term, or an argument, at another distance than the result.
          Tensor x = start.clone();
          Tensor part = x.slice(begin, end);
          add_into(part, term.slice(begin + 1, end + 1));
          CHECK(same_bits(part, add(start.slice(begin, end), term.slice(begin + 1, end + 1))));
          CHECK(same_bits(neg(start.slice(begin, end)), neg(start).slice(begin, end)));
          CHECK(same_bits(add(start.slice(begin, end), full({1}, 2, dtype, device)),
                          add_scalar(start, 2).slice(begin, end)));
        }
      }
    }
  });
}

TEST_CASE("elementwise: messages name what was expected and what came") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK(test::error_of([&] { tanh(Tensor()); }) == "[tanh] the argument is undefined");
  CHECK(test::error_of([&] { exp(Tensor::zeros({2}, DType::i64)); }) ==
        "[exp] the argument is i64; it takes f32, f64 or bf16; cast it first");
  CHECK(test::error_of([&] {
          add(x, Tensor::zeros({2, 3}, DType::bf16));
        }) == "[add] dtypes differ: f32 (2, 3) and bf16 (2, 3); cast one of them");
  CHECK(test::error_of([&] { mul(x, Tensor::zeros({2})); }) ==
        "[mul] shapes (2, 3) and (2,) do not broadcast: aligned at the innermost dimension, "
        "extents 3 and 2 meet; is a dimension missing or in another order?");
  CHECK(test::error_of([&] { relu_grad(x, Tensor::zeros({3})); }) ==
        "[relu_grad] both arguments have one shape, but they are (2, 3) and (3,)");
  CHECK(test::error_of([&] { clamp(x, {.low = 2, .high = 1}); }) ==
        "[clamp] the lower bound 2 is not below the upper bound 1");
  CHECK(test::error_of([&] { prelu(Tensor::zeros({3}), x); }) ==
        "[prelu] a slope of shape (2, 3) does not broadcast to x of shape (3,)");
  Tensor sum = Tensor::zeros({3});
  CHECK(test::error_of([&] { add_into(sum, x); }) ==
        "[add_into] the sum has shape (3,) but the term has (2, 3)");
}
