#include <doctest/doctest.h>

#include "kernels/elementwise/elementwise.h"
#include "kernels/optimizer/cases.h"
#include "tests/kernels/guarded.h"
#include "tests/kernels/optimizer_rules.h"
#include "tests/kernels/random.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/orders.h"

using namespace imago;
using namespace imago::kernels;
using test::OptimizerRule;
using test::OptimizerState;

namespace {

OptimizerState state_of(const OptimizerRule& rule, const OptimizerCase& c, DType dtype) {
  OptimizerState s;
  s.kept.resize(static_cast<std::size_t>(rule.kept));
  std::uint64_t seed = 1;
  for (const Shape& shape : c.shapes) {
    s.p.push_back(test::normals(shape, dtype, seed++));
    s.g.push_back(test::normals(shape, dtype, seed++));
    for (auto& list : s.kept) list.push_back(Tensor::zeros(shape, dtype));
  }
  return s;
}

// A deep copy, its tensors made by f.
template <class F>
OptimizerState copied(const OptimizerState& s, F&& f) {
  const auto all = [&](const std::vector<Tensor>& from) {
    std::vector<Tensor> into;
    for (const Tensor& t : from) into.push_back(f(t));
    return into;
  };
  OptimizerState copy{all(s.p), all(s.g), {}};
  for (const auto& list : s.kept) copy.kept.push_back(all(list));
  return copy;
}

OptimizerState to(const OptimizerState& s, Device device) {
  return copied(s, [&](const Tensor& t) { return t.to(device).clone(); });
}

Tensor slots_of(const OptimizerRule& rule, double lr, int t, DType dtype = DType::f64) {
  const std::vector<double> values = rule.slots(lr, t);
  Tensor out = Tensor::from<double>(std::span<const double>(values),
                                    {static_cast<std::int64_t>(values.size())});
  return cast(out, dtype);
}

void check_same(const OptimizerState& got, const OptimizerState& want) {
  for (std::size_t i = 0; i < got.p.size(); ++i) {
    CAPTURE(i);
    CHECK(same_bits(got.p[i], want.p[i]));
    for (std::size_t k = 0; k < got.kept.size(); ++k) {
      CHECK(same_bits(got.kept[k][i], want.kept[k][i]));
    }
  }
}

// One step of the formula on a state in f64 on the host.
void formula_step(const OptimizerRule& rule, OptimizerState& s, double lr, int t) {
  for (std::size_t i = 0; i < s.p.size(); ++i) {
    double* p = s.p[i].mutable_data<double>();
    const double* g = s.g[i].data<double>();
    for (std::int64_t j = 0; j < s.p[i].numel(); ++j) {
      double kept[3] = {};
      for (std::size_t k = 0; k < s.kept.size(); ++k) kept[k] = s.kept[k][i].data<double>()[j];
      rule.formula(p[j], g[j], kept, lr, t);
      for (std::size_t k = 0; k < s.kept.size(); ++k) {
        s.kept[k][i].mutable_data<double>()[j] = kept[k];
      }
    }
  }
}

}  // namespace

TEST_CASE("optimisers: five steps follow the papers") {
  const test::Guarded guarded;
  test::for_each_device([&](Device) {
    const double lr = 0.03;
    for (const OptimizerRule& rule : test::optimizer_rules()) {
      CAPTURE(rule.name);
      for (const OptimizerCase& c : optimizer_cases()) {
        for (const DType dtype : {DType::f32, DType::f64}) {
          OptimizerState got = state_of(rule, c, dtype);
          OptimizerState want = copied(got, test::to_f64);
          for (int t = 1; t <= 5; ++t) {
            rule.run(got, slots_of(rule, lr, t, dtype));
            formula_step(rule, want, lr, t);
          }
          // f32: five roundings of parameters up to 5 in size dominate, and of what is kept, which
          // RMSprop's momentum lets grow to a few tens.
          const double bound = dtype == DType::f64 ? 1e-13 : 2e-6;
          for (std::size_t i = 0; i < got.p.size(); ++i) {
            CHECK(test::largest_error(got.p[i], want.p[i]) <= bound);
            for (std::size_t k = 0; k < got.kept.size(); ++k) {
              const double scale = std::fmax(1, test::largest(want.kept[k][i]));
              CHECK(test::largest_error(got.kept[k][i], want.kept[k][i]) <= bound * scale);
            }
          }
        }
      }
    }
  });
}

TEST_CASE("optimisers: the same bits on every device, for lists of any length and slices") {
  const test::Guarded guarded;
  // More tensors than travel in one launch, of every size around a pack, and a larger one.
  OptimizerCase many;
  for (std::int64_t i = 0; i < 90; ++i) many.shapes.push_back({i % 37});
  many.shapes.push_back({2500});
  for (const OptimizerRule& rule : test::optimizer_rules()) {
    CAPTURE(rule.name);
    for (const DType dtype : {DType::f32, DType::f64}) {
      CAPTURE(dtype);
      const OptimizerState start = state_of(rule, many, dtype);
      OptimizerState want = to(start, Device::cpu());
      for (int t = 1; t <= 2; ++t) rule.run(want, slots_of(rule, 0.02, t));
      test::for_each_device([&](Device device) {
        test::for_each_order(device, [&] {
          OptimizerState got = to(start, device);
          // Arrays that begin off a multiple of 16 bytes, one at a time.
          std::size_t i = 30;
          std::vector<std::vector<Tensor>*> lists{&got.p, &got.g};
          for (auto& list : got.kept) lists.push_back(&list);
          for (std::vector<Tensor>* list : lists) {
            (*list)[i] = test::off_boundary((*list)[i]);
            ++i;
          }
          for (int t = 1; t <= 2; ++t) rule.run(got, slots_of(rule, 0.02, t));
          check_same(got, want);
        });
      });
    }
  }
}

TEST_CASE("adam: known answer: the first step moves by lr against the sign of the gradient") {
  test::for_each_device([&](Device) {
    std::vector<Tensor> p{Tensor::from<double>({1, 1, 1}, {3})};
    const std::vector<Tensor> g{Tensor::from<double>({2, -0.001, 0}, {3})};
    std::vector<Tensor> m{Tensor::zeros({3}, DType::f64)}, v{Tensor::zeros({3}, DType::f64)};
    const AdamConstants k{.eps = 1e-12};
    adam_update(p, g, m, v, slots_of(test::adam_rule("", k), 0.01, 1), k);
    CHECK(test::largest_error(p[0], Tensor::from<double>({0.99, 1.01, 1}, {3})) <= 1e-9);
    CHECK(test::largest_error(m[0], Tensor::from<double>({0.2, -0.0001, 0}, {3})) <= 1e-15);
  });
}

TEST_CASE("rmsprop: a variance that rounding takes below 0 counts as 0, and NaN stays NaN") {
  test::for_each_device([&](Device) {
    // 0.1 squared in f32, rounded down, is less than the square of the mean.
    const float mean = 0.1f, square = std::nextafter(mean * mean, 0.0f);
    std::vector<Tensor> p{Tensor::zeros({2})}, squares{Tensor::from<float>({square, square}, {2})},
        means{Tensor::from<float>({mean, mean}, {2})}, none;
    const std::vector<Tensor> g{Tensor::from<float>({1, std::nanf("")}, {2})};
    const Tensor slots = Tensor::full({1}, 0.25, DType::f64);
    rmsprop_update(p, g, squares, means, none, slots, {.alpha = 1, .eps = 0.5, .centered = true});
    const Tensor got = test::to_f64(p[0]);
    CHECK(got.data<double>()[0] == -0.5);
    CHECK(std::isnan(got.data<double>()[1]));
  });
}

TEST_CASE("optimisers: count as a change of parameters and what is kept, not of gradients") {
  test::for_each_device([&](Device) {
    for (const OptimizerRule& rule : test::optimizer_rules()) {
      CAPTURE(rule.name);
      OptimizerState s = state_of(rule, {{{5}}}, DType::f32);
      const auto p = s.p[0].version(), g = s.g[0].version();
      std::vector<std::uint64_t> kept;
      for (const auto& list : s.kept) kept.push_back(list[0].version());
      rule.run(s, slots_of(rule, 0.1, 1));
      CHECK(s.p[0].version() > p);
      for (std::size_t k = 0; k < kept.size(); ++k) CHECK(s.kept[k][0].version() > kept[k]);
      CHECK(s.g[0].version() == g);
    }
  });
}

TEST_CASE("optimisers: the number of threads does not change a bit") {
  const ContextScope scope;
  for (const OptimizerRule& rule : test::optimizer_rules()) {
    CAPTURE(rule.name);
    for (const DType dtype : {DType::f32, DType::f64}) {
      std::vector<OptimizerState> results;
      for (const int threads : {1, 2, 3}) {
        set_num_threads(threads);
        results.push_back(state_of(rule, optimizer_cases().back(), dtype));
        for (int t = 1; t <= 3; ++t) rule.run(results.back(), slots_of(rule, 0.1, t));
      }
      check_same(results[1], results[0]);
      check_same(results[2], results[0]);
    }
  }
}

TEST_CASE("optimisers: messages name what was expected and what came") {
  const OptimizerRule rule = test::adam_rule("adam", {});
  const Tensor slots = slots_of(rule, 0.1, 1);
  OptimizerState s = state_of(rule, {{{5}, {2, 3}}}, DType::f32);
  OptimizerState fewer = s;
  fewer.g.pop_back();
  CHECK(test::error_of([&] { rule.run(fewer, slots); }) ==
        "[adam] a list of 1 gradients beside one of 2 parameters");
  OptimizerState other = s;
  other.kept[1][1] = Tensor::zeros({3, 2});
  CHECK(test::error_of([&] { rule.run(other, slots); }) ==
        "[adam] second moment 1 is (3, 2) f32 on cpu but parameter 1 is (2, 3) f32 on cpu");
  OptimizerState wide = s;
  wide.p[1] = Tensor::zeros({2, 3}, DType::f64);
  CHECK(test::error_of([&] { rule.run(wide, slots); }) ==
        "[adam] parameter 1 is f64 on cpu but parameter 0 is f32 on cpu");
  OptimizerState missing = s;
  missing.g[0] = Tensor();
  CHECK(test::error_of([&] { rule.run(missing, slots); }) ==
        "[adam] gradient 0 is undefined; was it never computed?");
  CHECK(test::error_of([&] { rule.run(s, Tensor::zeros({2})); }) ==
        "[adam] slots are (2,) f32; it takes (3,) in f32 or f64; were they made for another "
        "operation?");
  CHECK(test::error_of([&] { rule.run(s, Tensor()); }) ==
        "[adam] slots are undefined; it takes (3,) in f32 or f64");
  OptimizerState half = state_of(rule, {{{5}}}, DType::bf16);
  CHECK(test::error_of([&] { rule.run(half, slots); }) ==
        "[adam] does not take bf16; it takes f32, f64");

  std::vector<Tensor> none;
  const Tensor two = Tensor::zeros({2}), one = Tensor::zeros({1});
  CHECK(test::error_of([&] { sgd_update(s.p, s.g, none, two, {.nesterov = true}); }) ==
        "[sgd] nesterov needs a momentum");
  CHECK(test::error_of([&] { sgd_update(s.p, s.g, s.kept[0], two, {}); }) ==
        "[sgd] without momentum there are no buffers, but 2 came");
  CHECK(test::error_of([&] { sgd_update(s.p, s.g, none, two, {.momentum = 0.5}); }) ==
        "[sgd] a list of 0 momentum buffers beside one of 2 parameters");
  CHECK(test::error_of([&] { rmsprop_update(s.p, s.g, s.kept[0], s.kept[1], none, one, {}); }) ==
        "[rmsprop] means are for the centered form alone, but 2 came");
  CHECK(test::error_of([&] { rmsprop_update(s.p, s.g, s.kept[0], none, s.kept[1], one, {}); }) ==
        "[rmsprop] without momentum there are no buffers, but 2 came");
}
