// "min over q, max over p" of E_q[log p(x|z)] - KL(q(z|x) || p(z)), on the smallest model that has
// all of it: z ~ N(0, 1), x | z ~ N(z + mean, 1), hence x ~ N(mean, 2) and, exactly,
// z | x ~ N((x - mean) / 2, 1/2). q(z | x) = N(slope x + offset, deviation^2).
//
// The difference between log p(x) and the ELBO is KL(q(z|x) || p(z|x)) >= 0 (Kingma & Welling 2014,
// eq. 1): to maximise over q closes the gap, to minimise over q opens it without end.
#include <cmath>
#include <cstdio>
#include <numbers>

#include "apps/museum/exhibits.h"
#include "autograd/engine.h"
#include "autograd/ops/add.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/exp.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"

namespace imago::museum {
namespace {

// The mean of the data is 3, its variance 2.
const std::array<double, 5> data = {1, 2, 3, 4, 5};
const double log_2pi = std::log(2 * std::numbers::pi);

// All start at 0: of the model, and of q.
struct Values {
  double mean = 0;
  double slope = 0, offset = 0, log_deviation = 0;
};

struct Slopes {
  double elbo = 0;
  Values d;  // d elbo / d each
};

Slopes differentiate(const Values& v) {
  const auto leaf = [](double value) { return parameter(Tensor::full({1}, value, DType::f64)); };
  const Var mean = leaf(v.mean), slope = leaf(v.slope), offset = leaf(v.offset),
            log_deviation = leaf(v.log_deviation);                           // (1,) each
  const Var x = Tensor::from(std::span<const double>(data), {data.size()});  // (5,)
  const Var variance = ops::exp(ops::scale(log_deviation, 2));               // (1,)
  const Var m = ops::add(ops::mul(x, slope), offset);                        // (5,), of q
  // E_q log N(x; z + mean, 1) = -(log 2 pi + (x - mean - m)^2 + variance) / 2
  const Var residual = ops::sub(ops::sub(x, mean), m);
  const Var likelihood =
      ops::scale(ops::add_scalar(ops::add(ops::square(residual), variance), log_2pi), -0.5);
  // KL = (m^2 + variance - 1 - log variance) / 2
  const Var kl = ops::scale(ops::sub(ops::add(ops::square(m), variance),
                                     ops::add_scalar(ops::scale(log_deviation, 2), 1)),
                            0.5);
  const Var elbo = ops::mean(ops::sub(likelihood, kl));
  const Vars d = grad({elbo}, {mean, slope, offset, log_deviation});
  return {elbo.item(), {d[0].item(), d[1].item(), d[2].item(), d[3].item()}};
}

// Up in the model; up (+1) or down (-1) in q.
void step(Values& v, double direction_of_q, double rate) {
  const Values d = differentiate(v).d;
  v.mean += rate * d.mean;
  v.slope += direction_of_q * rate * d.slope;
  v.offset += direction_of_q * rate * d.offset;
  v.log_deviation += direction_of_q * rate * d.log_deviation;
}

}  // namespace

Elbo elbo() {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  Elbo f;
  // Of N(3, 2), whose variance is that of the data.
  f.log_likelihood = -0.5 * (log_2pi + std::log(2.0) + 1);

  Values right;
  for (int i = 0; i < 1000; ++i) step(right, +1, 0.05);
  f.right_elbo = differentiate(right).elbo;
  f.right_mean = right.mean;
  f.right_slope = right.slope;
  f.right_offset = right.offset;
  f.right_variance = std::exp(2 * right.log_deviation);

  Values wrong;
  f.wrong_steps = {0, 10, 20, 30};
  int done = 0;
  for (std::size_t i = 0; i < f.wrong_steps.size(); ++i) {
    for (; done < f.wrong_steps[i]; ++done) step(wrong, -1, 0.01);
    f.wrong_elbo[i] = differentiate(wrong).elbo;
  }
  return f;
}

void show_elbo() {
  const Elbo f = elbo();
  std::printf(
      "Wrong: min over q, max over p of E_q[log p(x|z)] - KL(q(z|x) || p(z))\n"
      "Right: max over q and p of the same, the ELBO\n"
      "What differs, for z ~ N(0, 1), x | z ~ N(z + mean, 1) and the data 1, 2, 3, 4, 5:\n"
      "  No model of this family gives the data a mean log likelihood above %.4f, and the ELBO\n"
      "  is never above the log likelihood. So the higher, the closer, and q has to help:\n"
      "    maximised over both: ELBO %.4f with mean %.3f and q = N(%.3f x %+.3f, %.3f);\n"
      "      exactly: mean 3, q = N(0.5 x - 1.5, 0.5)\n",
      f.log_likelihood, f.right_elbo, f.right_mean, f.right_slope, f.right_offset,
      f.right_variance);
  std::printf("    minimised over q:\n");
  for (std::size_t i = 0; i < f.wrong_elbo.size(); ++i) {
    std::printf("      after %2d steps    ELBO %.4g\n", f.wrong_steps[i], f.wrong_elbo[i]);
  }
  std::printf(
      "  It has no lowest value: q is paid for codes that explain nothing, further away each "
      "time.\n");
}

}  // namespace imago::museum
