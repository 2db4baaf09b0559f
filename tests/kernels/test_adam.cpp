#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "kernels/adam/adam.h"
#include "kernels/adam/cases.h"
#include "tensor/context.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;

namespace {

struct State {
  std::vector<Tensor> p, g, m, v;
};

State state_of(const AdamCase& c, DType dtype) {
  State s;
  std::uint64_t seed = 1;
  for (const Shape& shape : c.shapes) {
    s.p.push_back(test::normals(shape, dtype, seed++));
    s.g.push_back(test::normals(shape, dtype, seed++));
    s.m.push_back(Tensor::zeros(shape, dtype));
    s.v.push_back(Tensor::zeros(shape, dtype));
  }
  return s;
}

Tensor scalars_of(double lr, const AdamConstants& k, int t, DType dtype = DType::f32) {
  const double s[] = {lr, 1 / (1 - std::pow(k.beta1, t)), 1 / std::sqrt(1 - std::pow(k.beta2, t))};
  Tensor out = Tensor::empty({3}, dtype, Device::cpu());
  for (int i = 0; i < 3; ++i) {
    if (dtype == DType::f64) {
      out.mutable_data<double>()[i] = s[i];
    } else {
      out.mutable_data<float>()[i] = static_cast<float>(s[i]);
    }
  }
  return out.to(Context::current().device);
}

State to(const State& s, Device device) {
  State there;
  const auto move = [&](const std::vector<Tensor>& from, std::vector<Tensor>& into) {
    for (const Tensor& t : from) into.push_back(t.to(device).clone());
  };
  move(s.p, there.p), move(s.g, there.g), move(s.m, there.m), move(s.v, there.v);
  return there;
}

void step(State& s, const Tensor& scalars, const AdamConstants& k) {
  adam_update(s.p, s.g, s.m, s.v, scalars, k);
}

// Algorithm 1 of the paper as it stands there, with both moments corrected before use.
void paper_step(State& s, double lr, const AdamConstants& k, int t) {
  for (std::size_t i = 0; i < s.p.size(); ++i) {
    double* p = s.p[i].mutable_data<double>();
    double* m = s.m[i].mutable_data<double>();
    double* v = s.v[i].mutable_data<double>();
    for (std::int64_t j = 0; j < s.p[i].numel(); ++j) {
      const double g = s.g[i].data<double>()[j] + k.weight_decay * p[j];
      m[j] = k.beta1 * m[j] + (1 - k.beta1) * g;
      v[j] = k.beta2 * v[j] + (1 - k.beta2) * g * g;
      const double m_hat = m[j] / (1 - std::pow(k.beta1, t));
      const double v_hat = v[j] / (1 - std::pow(k.beta2, t));
      p[j] -= lr * m_hat / (std::sqrt(v_hat) + k.eps);
    }
  }
}

}  // namespace

TEST_CASE("adam: five steps follow the paper") {
  const test::Guarded guarded;
  test::for_each_device([&](Device) {
    const double lr = 0.03;
    for (const AdamConstants& k :
         {AdamConstants{}, AdamConstants{.beta1 = 0.5, .weight_decay = 0.1},
          AdamConstants{.eps = 0.3}}) {
      for (const AdamCase& c : adam_cases()) {
        for (const DType dtype : {DType::f32, DType::f64}) {
          State got = state_of(c, dtype), want;
          for (std::size_t i = 0; i < got.p.size(); ++i) {
            want.p.push_back(test::to_f64(got.p[i]));
            want.g.push_back(test::to_f64(got.g[i]));
            want.m.push_back(test::to_f64(got.m[i]));
            want.v.push_back(test::to_f64(got.v[i]));
          }
          for (int t = 1; t <= 5; ++t) {
            step(got, scalars_of(lr, k, t, dtype), k);
            paper_step(want, lr, k, t);
          }
          for (std::size_t i = 0; i < got.p.size(); ++i) {
            // f32: five roundings of parameters up to 5 in size dominate.
            const double bound = dtype == DType::f64 ? 1e-13 : 2e-6;
            CHECK(test::largest_error(got.p[i], want.p[i]) <= bound);
            CHECK(test::largest_error(got.m[i], want.m[i]) <= bound);
            CHECK(test::largest_error(got.v[i], want.v[i]) <= bound);
          }
        }
      }
    }
  });
}

TEST_CASE("adam: the same bits on every device, for lists of any length and slices") {
  const test::Guarded guarded;
  // More tensors than travel in one launch, of every size around a pack, and a larger one.
  AdamCase many;
  for (std::int64_t i = 0; i < 200; ++i) many.shapes.push_back({i % 37});
  many.shapes.push_back({5000});
  for (const DType dtype : {DType::f32, DType::f64}) {
    CAPTURE(dtype);
    const AdamConstants k{.beta1 = 0.5, .weight_decay = 0.01};
    const State start = state_of(many, dtype);
    State want = to(start, Device::cpu());
    for (int t = 1; t <= 2; ++t) step(want, scalars_of(0.02, k, t, DType::f64), k);
    test::for_each_device([&](Device device) {
      test::for_each_order(device, [&] {
        State got = to(start, device);
        // Arrays that begin off a multiple of 16 bytes, one of four at a time.
        std::size_t i = 30;
        for (std::vector<Tensor>* list : {&got.p, &got.g, &got.m, &got.v}) {
          const std::int64_t n = many.shapes[i][0];
          Tensor part = Tensor::zeros({n + 3}, dtype).slice(3, n + 3);
          part.copy_from((*list)[i]);
          (*list)[i++] = part;
        }
        for (int t = 1; t <= 2; ++t) step(got, scalars_of(0.02, k, t, DType::f64), k);
        for (i = 0; i < got.p.size(); ++i) {
          CHECK(same_bits(got.p[i], want.p[i]));
          CHECK(same_bits(got.m[i], want.m[i]));
          CHECK(same_bits(got.v[i], want.v[i]));
        }
      });
    });
  }
}

TEST_CASE("adam: known answer: the first step moves by lr against the sign of the gradient") {
  test::for_each_device([&](Device) {
    std::vector<Tensor> p{Tensor::from<double>({1, 1, 1}, {3})};
    const std::vector<Tensor> g{Tensor::from<double>({2, -0.001, 0}, {3})};
    std::vector<Tensor> m{Tensor::zeros({3}, DType::f64)}, v{Tensor::zeros({3}, DType::f64)};
    const AdamConstants k{.eps = 1e-12};
    adam_update(p, g, m, v, scalars_of(0.01, k, 1, DType::f64), k);
    CHECK(test::largest_error(p[0], Tensor::from<double>({0.99, 1.01, 1}, {3})) <= 1e-9);
    CHECK(test::largest_error(m[0], Tensor::from<double>({0.2, -0.0001, 0}, {3})) <= 1e-15);
  });
}

TEST_CASE("adam: counts as a change of parameters and moments, not of gradients") {
  test::for_each_device([&](Device) {
    State s = state_of({{{5}}}, DType::f32);
    const auto p = s.p[0].version(), g = s.g[0].version(), m = s.m[0].version(),
               v = s.v[0].version();
    step(s, scalars_of(0.1, {}, 1), {});
    CHECK(s.p[0].version() > p);
    CHECK(s.m[0].version() > m);
    CHECK(s.v[0].version() > v);
    CHECK(s.g[0].version() == g);
  });
}

TEST_CASE("adam: the number of threads does not change a bit") {
  const ContextScope scope;
  for (const AdamCase& c : adam_cases()) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      std::vector<State> results;
      for (const int threads : {1, 2, 3}) {
        set_num_threads(threads);
        results.push_back(state_of(c, dtype));
        for (int t = 1; t <= 3; ++t) step(results.back(), scalars_of(0.1, {}, t), {});
      }
      for (std::size_t i = 0; i < c.shapes.size(); ++i) {
        for (const State& other : {results[1], results[2]}) {
          CHECK(same_bits(other.p[i], results[0].p[i]));
          CHECK(same_bits(other.m[i], results[0].m[i]));
          CHECK(same_bits(other.v[i], results[0].v[i]));
        }
      }
    }
  }
}

TEST_CASE("adam: messages name what was expected and what came") {
  const Tensor scalars = scalars_of(0.1, {}, 1);
  State s = state_of({{{5}, {2, 3}}}, DType::f32);
  State fewer = s;
  fewer.g.pop_back();
  CHECK(test::error_of([&] { step(fewer, scalars, {}); }) ==
        "[adam] 2 parameters but 1 gradients, 2 first and 2 second moments");
  State other = s;
  other.g[1] = Tensor::zeros({3, 2});
  CHECK(test::error_of([&] { step(other, scalars, {}); }) ==
        "[adam] parameter 1 is (2, 3) f32 on cpu but its gradient or moment is (3, 2) f32 on cpu");
  State missing = s;
  missing.g[0] = Tensor();
  CHECK(test::error_of([&] { step(missing, scalars, {}); }) ==
        "[adam] entry 0 is undefined; was the gradient never computed?");
  CHECK(test::error_of([&] { step(s, Tensor::zeros({2}), {}); }) ==
        "[adam] scalars has shape (3,), not (2,)");
  State half = state_of({{{5}}}, DType::bf16);
  CHECK(test::error_of([&] { step(half, scalars, {}); }) ==
        "[adam] does not take bf16; it takes f32, f64");
}
