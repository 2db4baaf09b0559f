// The rows of optimisers and clipping. They are verified against their formulas in f64.
#include <cmath>

#include "bench/op_rows.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/optimizer/adam.h"
#include "kernels/optimizer/cases.h"
#include "kernels/optimizer/clip.h"
#include "kernels/optimizer/ema.h"
#include "kernels/optimizer/rmsprop.h"
#include "kernels/optimizer/sgd.h"
#include "kernels/random/random.h"

namespace imago::bench {
namespace {

using namespace kernels;
using Tensors = std::vector<Tensor>;

// What an update makes of an element: the new parameter, from it, its gradient and what is kept.
using Element = std::function<double(double p, double g, double first, double second)>;

struct Optimizer {
  const char* name;
  int kept;  // arrays beside parameter and gradient
  std::function<void(std::span<Tensor> p, std::span<const Tensor> g, std::span<Tensor> first,
                     std::span<Tensor> second, const Tensor& slots)>
      run;
  Tensor slots;
  Element element;
};

Row row_of(const Optimizer& o, const Tensor& normals) {
  const Tensor p = normals, g = scale(normals, -0.75), first = square(normals),
               second = scale(normals, 0.5);
  Tensors inputs{p, g, o.slots};
  if (o.kept > 0) inputs.push_back(first);
  if (o.kept > 1) inputs.push_back(second);
  const OptimizerCase c{{p.shape()}};
  return {std::string(o.name) + "/f32", c.bytes(DType::f32, 1 + o.kept), inputs,
          [o](Tensors& in) -> Tensors {
            const std::span<Tensor> all(in);
            const auto kept = [&](std::size_t k) {
              return all.subspan(std::min(2 + k, all.size()), all.size() > 2 + k ? 1 : 0);
            };
            o.run(all.subspan(0, 1), all.subspan(1, 1), kept(1), kept(2), in[2]);
            return {in[0]};
          },
          [=](const Tensors& got) {
            const auto at = [](const Tensor& t, std::int64_t i) {
              return static_cast<double>(t.data<float>()[i]);
            };
            for (std::int64_t i = 0; i < p.numel(); ++i) {
              const double want = o.element(at(p, i), at(g, i), at(first, i), at(second, i));
              const double bound = 1e-6 * (1 + std::fabs(want - at(p, i)) + std::fabs(want));
              if (!(std::fabs(at(got[0], i) - want) <= bound)) return false;
            }
            return true;
          }};
}

double sum_of_squares_of(const Tensor& x) {
  double sum = 0;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const double v = static_cast<double>(x.data<float>()[i]);
    sum += v * v;
  }
  return sum;
}

}  // namespace

std::vector<Row> optimizer_rows(std::int64_t numel) {
  const Tensor x = normal({numel}, DType::f32, {1, 0, 0});
  const auto lr = Tensor::from<double>({0.01}, {1});
  const auto lr_taken = Tensor::from<double>({0.01, 1}, {2});
  const auto adam_slots = Tensor::from<double>({1e-3, 10.0, 31.6}, {3});
  const auto adam_step = [](double g, double v, double m) {
    const double m_new = 0.9 * m + 0.1 * g, v_new = 0.999 * v + 0.001 * g * g;
    return 1e-2 * m_new / (std::sqrt(v_new) * 31.6 + 1e-8);
  };
  using S = std::span<Tensor>;
  using C = std::span<const Tensor>;
  const Optimizer all[] = {
      {"sgd", 0, [](S p, C g, S, S, const Tensor& slots) { sgd_update(p, g, {}, slots, {}); },
       lr_taken, [](double p, double g, double, double) { return p - 0.01 * g; }},
      {"sgd with momentum", 1,
       [](S p, C g, S b, S, const Tensor& slots) {
         sgd_update(p, g, b, slots, {.momentum = 0.9, .nesterov = true});
       },
       lr_taken,
       [](double p, double g, double b, double) { return p - 0.01 * (g + 0.9 * (0.9 * b + g)); }},
      {"adam", 2,
       [](S p, C g, S v, S m, const Tensor& slots) { adam_update(p, g, m, v, slots, {}); },
       adam_slots, [=](double p, double g, double v, double m) { return p - adam_step(g, v, m); }},
      {"adamw", 2,
       [](S p, C g, S v, S m, const Tensor& slots) {
         adam_update(p, g, m, v, slots, {.weight_decay = 0.1, .decoupled = true});
       },
       adam_slots,
       [=](double p, double g, double v, double m) {
         return (1 - 1e-3 * 0.1) * p - adam_step(g, v, m);
       }},
      {"rmsprop", 1,
       [](S p, C g, S s, S, const Tensor& slots) {
         rmsprop_update(p, g, s, {}, {}, slots, {.eps = 1e-3});
       },
       lr,
       [](double p, double g, double s, double) {
         return p - 0.01 * g / (std::sqrt(0.99 * s + 0.01 * g * g) + 1e-3);
       }},
      {"ema", 0, [](S p, C g, S, S, const Tensor& slots) { ema_update(p, g, slots); }, lr,
       [](double p, double g, double, double) { return p + 0.01 * (g - p); }},
  };
  std::vector<Row> rows;
  for (const Optimizer& o : all) rows.push_back(row_of(o, x));

  const auto bytes = static_cast<double>(x.nbytes());
  const double norm = std::sqrt(sum_of_squares_of(x));
  rows.push_back(
      {"global norm/f32",
       bytes,
       {x},
       [](Tensors& in) -> Tensors { return {global_norm(in)}; },
       [=](const Tensors& got) { return std::fabs(got[0].item() - norm) <= 1e-7 * norm; }});
  // The same call again finds a norm of half the bound and touches nothing, so each run first
  // writes where the gradients came from: a pass of its own, counted.
  rows.push_back({"clip by norm/f32",
                  5 * bytes,
                  {x, x},
                  [=](Tensors& in) -> Tensors {
                    in[0].copy_from(in[1]);
                    clip_norm(std::span<Tensor>(in).subspan(0, 1), norm / 2);
                    return {in[0]};
                  },
                  [=](const Tensors& got) {
                    return std::fabs(std::sqrt(sum_of_squares_of(got[0])) - norm / 2) <=
                           1e-5 * norm;
                  }});
  rows.push_back({"clip by value/f32",
                  2 * bytes,
                  {x, lr},
                  [](Tensors& in) -> Tensors {
                    clip_value(std::span<Tensor>(in).subspan(0, 1), in[1]);
                    return {in[0]};
                  },
                  [=](const Tensors& got) {
                    for (std::int64_t i = 0; i < x.numel(); ++i) {
                      const float v = x.data<float>()[i],
                                  want = std::fmin(std::fmax(v, -0.01f), 0.01f);
                      if (!(got[0].data<float>()[i] == want)) return false;
                    }
                    return true;
                  }});
  return rows;
}

}  // namespace imago::bench
