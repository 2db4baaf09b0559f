// Every engine computes the formulas of formulas.h bit for bit, whatever the values.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/elementwise/cases.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/kernels/same_values.h"
#include "tests/support/devices.h"

using namespace imago;
using namespace imago::kernels;

namespace {

template <class T>
T from_bits(std::uint64_t upper16, std::uint64_t rest) {
  if constexpr (std::is_same_v<T, bf16>) {
    return std::bit_cast<bf16>(static_cast<std::uint16_t>(upper16));
  } else if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(upper16 << 16 | (rest & 0xffff)));
  } else {
    return std::bit_cast<double>(upper16 << 48 | (rest & 0xffffffffffff));
  }
}

// Every sign, exponent and leading digits that 16 bits can say, with random digits after them:
// zeros, denormals, infinities and NaN included. On the host.
template <class T>
Tensor all_magnitudes(std::int64_t step) {
  Tensor t = Tensor::empty({65536 / step}, dtype_of<T>(), Device::cpu());
  RandomStream stream(4);
  T* p = t.mutable_data<T>();
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    const std::uint64_t rest = i % 5 == 0 ? 0 : std::uint64_t{stream.next()} << 20 | stream.next();
    p[i] = from_bits<T>(static_cast<std::uint64_t>(i * step), rest);
  }
  return t;
}

// Values whose pairs meet every special case of +, -, x and /.
template <class T>
std::vector<T> special_values() {
  using A = acc_t<T>;
  using Limits = std::numeric_limits<A>;
  std::vector<T> values;
  for (const A v : {A(0), A(1), A(3), A(1) / A(3), A(0.999), Limits::min(), Limits::denorm_min(),
                    Limits::min() / 3, Limits::max(), Limits::max() / 3, Limits::epsilon(),
                    A(1) + Limits::epsilon(), Limits::infinity(), Limits::quiet_NaN()}) {
    values.push_back(static_cast<T>(v));
    values.push_back(static_cast<T>(-v));
  }
  return values;
}

template <class F>
void for_floating(F&& f) {
  f.template operator()<float>();
  f.template operator()<double>();
  f.template operator()<bf16>();
}

// f64 functions of the C library, in place of which a GPU has its own.
template <class Case>
bool has_own_f64(const Case& c, Device device) {
  return device.is_cuda() && c.cuda_ulps > 0 && !IMAGO_EMULATED;
}

}  // namespace

TEST_CASE("elementwise: unary results are the formula's bits over the whole range of values") {
  const test::Guarded guarded;
  test::for_each_device([&](Device device) {
    for (const UnaryCase& c : unary_cases()) {
      for_floating([&]<class T> {
        if (std::is_same_v<T, double> && has_own_f64(c, device)) return;  // see the tolerances
        using A = acc_t<T>;
        CAPTURE(name_of(c.op));
        CAPTURE(dtype_of<T>());
        const Tensor x = all_magnitudes<T>(device.is_cpu() ? 1 : 7);
        Tensor want = Tensor::empty_like(x);
        const T* px = x.data<T>();
        T* pw = want.mutable_data<T>();
        with_op(c.op, [&]<Unary op> {
          for (std::int64_t i = 0; i < x.numel(); ++i) {
            pw[i] = static_cast<T>(
                formula<op, A>(static_cast<A>(px[i]), static_cast<A>(c.a), static_cast<A>(c.b)));
          }
        });
        CHECK(test::same_values(unary(c.op, x.to(device), c.a, c.b), want));
      });
    }
  });
}

TEST_CASE("elementwise: binary results are the formula's bits for all pairs of special values") {
  const test::Guarded guarded;
  test::for_each_device([&](Device device) {
    for (const BinaryCase& c : binary_cases()) {
      for_floating([&]<class T> {
        if (std::is_same_v<T, double> && has_own_f64(c, device)) return;
        using A = acc_t<T>;
        CAPTURE(name_of(c.op));
        CAPTURE(dtype_of<T>());
        const std::vector<T> values = special_values<T>();
        const auto n = static_cast<std::int64_t>(values.size());
        Tensor x = Tensor::empty({n, n}, dtype_of<T>(), Device::cpu());
        Tensor y = Tensor::empty_like(x), want = Tensor::empty_like(x);
        T *px = x.mutable_data<T>(), *py = y.mutable_data<T>(), *pw = want.mutable_data<T>();
        with_op(c.op, [&]<Binary op> {
          for (std::int64_t i = 0; i < n * n; ++i) {
            px[i] = values[static_cast<std::size_t>(i / n)];
            py[i] = values[static_cast<std::size_t>(i % n)];
            pw[i] = static_cast<T>(formula<op, A>(static_cast<A>(px[i]), static_cast<A>(py[i]),
                                                  static_cast<A>(c.a), static_cast<A>(c.b)));
          }
        });
        CHECK(test::same_values(binary(c.op, x.to(device), y.to(device), c.a, c.b), want));
        if (!broadcasts(c.op)) return;
        // The same table as an outer product.
        const Tensor column = Tensor::from<T>(values, {n, 1}), row = Tensor::from<T>(values, {n});
        CHECK(test::same_values(binary(c.op, column, row, c.a, c.b), want));
      });
    }
  });
}
