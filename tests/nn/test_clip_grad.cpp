// Clipping of gradients for random sets of parameters, against sums on the host.
#include "nn/clip_grad.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/ops/mul.h"
#include "autograd/ops/sum_to.h"
#include "tensor/random_stream.h"
#include "tests/kernels/random.h"

using namespace imago;
using namespace imago::test;

namespace {

// Parameters with the gradients that they shall have; those of an undefined one are left out.
struct Problem {
  Vars parameters;
  std::vector<Tensor> gradients;

  void set_gradients() {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      parameters[i].zero_grad();
      if (!gradients[i].defined()) continue;
      ops::sum(ops::mul(parameters[i], Var(gradients[i]))).backward();
    }
  }
};

// One to seven tensors of rank 0 to 4, about a fifth of them without a gradient; the others' lie up
// to eight orders of magnitude apart.
Problem random_problem(RandomStream& stream, DType dtype, std::uint64_t seed) {
  const std::int64_t extents[] = {1, 2, 3, 5, 7, 13, 31};
  Problem problem;
  const auto count = 1 + stream.below(7);
  for (std::uint32_t i = 0; i < count; ++i) {
    Shape shape;
    for (auto rank = stream.below(5); rank > 0; --rank) {
      shape.append(extents[stream.below(shape.dim() < 2 ? 7 : 3)]);
    }
    problem.parameters.push_back(parameter(Tensor::zeros(shape, dtype)));
    const double magnitude = std::pow(10.0, static_cast<double>(stream.below(9)) - 4);
    const Tensor values = to_f64(normals(shape, DType::f64, 1000 * seed + i));
    std::int64_t next = 0;
    problem.gradients.push_back(stream.below(5) == 0 ? Tensor() : filled(shape, dtype, [&] {
      return static_cast<float>(magnitude * values.data<double>()[next++]);
    }));
  }
  return problem;
}

// By definition, with nothing of the library but its elements.
double norm_of(const std::vector<Tensor>& gradients) {
  long double squares = 0;
  for (const Tensor& g : gradients) {
    if (!g.defined()) continue;
    const Tensor wide = to_f64(g);
    for (std::int64_t i = 0; i < wide.numel(); ++i) {
      const long double value = wide.data<double>()[i];
      squares += value * value;
    }
  }
  return static_cast<double>(std::sqrt(squares));
}

// Every element of every gradient must be f(its value before), up to `tolerance` of itself.
template <class F>
void check_gradients(const Problem& problem, double tolerance, F&& f) {
  for (std::size_t k = 0; k < problem.parameters.size(); ++k) {
    CAPTURE(k);
    const Var gradient = problem.parameters[k].grad();
    CHECK(gradient.defined() == problem.gradients[k].defined());
    if (!problem.gradients[k].defined()) continue;
    const Tensor before = to_f64(problem.gradients[k]), after = to_f64(gradient.tensor());
    REQUIRE(after.shape() == before.shape());
    int wrong = 0;
    for (std::int64_t i = 0; i < before.numel(); ++i) {
      const double want = f(before.data<double>()[i]);
      const double error = std::abs(after.data<double>()[i] - want);
      if (!(error <= tolerance * std::abs(want))) ++wrong;
    }
    CHECK(wrong == 0);
  }
}

// One form of a function of nn/clip_grad.h.
using Clip = Tensor (*)(const Vars&, double);

}  // namespace

TEST_CASE("clip_grad_norm: the norm of all gradients and its factor, by sums on the host") {
  const Clip forms[] = {[](const Vars& p, double most) { return optim::clip_grad_norm(p, most); },
                        [](const Vars& p, double most) {
                          return optim::clip_grad_norm(p, Tensor::full({1}, most, DType::f64));
                        }};
  RandomStream stream(41);
  int clipped = 0, kept = 0, idle = 0;
  for (std::uint64_t round = 0; round < 30; ++round) {
    CAPTURE(round);
    const DType dtype = round % 2 == 0 ? DType::f32 : DType::f64;
    // The norm is computed in f64 and rounded to the dtype once, as is each product.
    const double tolerance = dtype == DType::f32 ? 2.5e-7 : 1e-14;
    Problem problem = random_problem(stream, dtype, round);
    const double norm = norm_of(problem.gradients);
    const double factors[] = {1e-3, 0.5, 0.97, 1.1, 20.0};
    const double most = norm > 0 ? norm * factors[stream.below(5)] : 1.0;
    const double factor = std::fmin(1.0, most / (norm + 1e-6));
    for (const Clip clip : forms) {
      problem.set_gradients();
      const Tensor got = clip(problem.parameters, most);
      CHECK(got.shape() == Shape{});
      CHECK(std::abs(got.item() - norm) <= tolerance * norm);
      if (factor == 1) {  // nothing is touched
        check_gradients(problem, 0, [](double g) { return g; });
      } else {
        check_gradients(problem, tolerance, [=](double g) { return factor * g; });
        std::vector<Tensor> after;
        for (const Var& p : problem.parameters) {
          after.push_back(p.grad() ? p.grad().tensor() : Tensor());
        }
        CHECK(norm_of(after) <= most * (1 + tolerance));
      }
    }
    (norm == 0 ? idle : factor < 1 ? clipped : kept) += 1;
  }
  CHECK(clipped >= 6);
  CHECK(kept >= 3);
  CHECK(idle < 10);
}

TEST_CASE("clip_grad_value: every element by itself") {
  const Clip forms[] = {[](const Vars& p, double limit) {
                          optim::clip_grad_value(p, limit);
                          return Tensor();
                        },
                        [](const Vars& p, double limit) {
                          optim::clip_grad_value(p, Tensor::full({1}, limit, DType::f64));
                          return Tensor();
                        }};
  RandomStream stream(42);
  for (std::uint64_t round = 0; round < 16; ++round) {
    CAPTURE(round);
    const DType dtype = round % 2 == 0 ? DType::f32 : DType::f64;
    Problem problem = random_problem(stream, dtype, 100 + round);
    const double limit = std::ldexp(1.0, static_cast<int>(stream.below(16)) - 8);  // exact in f32
    for (const Clip clip : forms) {
      problem.set_gradients();
      clip(problem.parameters, limit);
      check_gradients(problem, 0, [=](double g) { return std::clamp(g, -limit, limit); });
    }
  }
}
