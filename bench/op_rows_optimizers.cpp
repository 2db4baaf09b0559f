// The rows of optimisers and clipping. They are verified against their formulas in f64.
#include <algorithm>
#include <array>
#include <cmath>

#include "bench/op_rows.h"
#include "bench/row_checks.h"
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

// What is kept of one element beside parameter and gradient, before the update.
using Kept = std::array<double, 3>;
// The new parameter, from the old one, its gradient and what is kept.
using Element = std::function<double(double p, double g, const Kept& kept)>;

struct Optimizer {
  const char* name;
  std::size_t kept;  // arrays beside parameter and gradient, at most 3
  std::function<void(std::span<Tensor> p, std::span<const Tensor> g, std::span<Tensor> kept,
                     const Tensor& slots)>
      run;
  Tensor slots;
  Element element;
};

Row row_of(const Optimizer& o, const Tensor& normals) {
  const Tensor p = normals, g = scale(normals, -0.75);
  // Squares, so that the first may be a mean square; the others well below its root.
  const Tensors state{square(normals), scale(normals, 0.5), scale(normals, 0.25)};
  Tensors inputs{p, g, o.slots};
  for (std::size_t i = 0; i < o.kept; ++i) inputs.push_back(state[i]);
  const OptimizerCase c{{p.shape()}};
  return {c.bytes(DType::f32, 1 + static_cast<int>(o.kept)), inputs,
          [o](Tensors& in) -> Tensors {
            const std::span<Tensor> all(in);
            o.run(all.subspan(0, 1), all.subspan(1, 1), all.subspan(3), in[2]);
            return {in[0]};
          },
          [=](const Tensors& got) {
            const auto at = [](const Tensor& t, std::int64_t i) {
              return static_cast<double>(t.data<float>()[i]);
            };
            for (std::int64_t i = 0; i < p.numel(); ++i) {
              const Kept kept{at(state[0], i), at(state[1], i), at(state[2], i)};
              const double want = o.element(at(p, i), at(g, i), kept);
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

std::vector<Optimizer> optimizers() {
  const auto lr = Tensor::from<double>({0.01}, {1});
  const auto lr_taken = Tensor::from<double>({0.01, 1}, {2});
  const auto adam_slots = Tensor::from<double>({1e-3, 10.0, 31.6}, {3});
  const auto adam_step = [](double g, double v, double m) {
    const double m_new = 0.9 * m + 0.1 * g, v_new = 0.999 * v + 0.001 * g * g;
    return 1e-2 * m_new / (std::sqrt(v_new) * 31.6 + 1e-8);
  };
  using S = std::span<Tensor>;
  using C = std::span<const Tensor>;
  return {
      {"sgd", 0, [](S p, C g, S, const Tensor& slots) { sgd_update(p, g, {}, slots, {}); },
       lr_taken, [](double p, double g, const Kept&) { return p - 0.01 * g; }},
      {"sgd with momentum", 1,
       [](S p, C g, S kept, const Tensor& slots) {
         sgd_update(p, g, kept, slots, {.momentum = 0.9, .nesterov = true});
       },
       lr_taken,
       [](double p, double g, const Kept& k) { return p - 0.01 * (g + 0.9 * (0.9 * k[0] + g)); }},
      {"adam", 2,
       [](S p, C g, S kept, const Tensor& slots) {
         adam_update(p, g, kept.subspan(1, 1), kept.subspan(0, 1), slots, {});
       },
       adam_slots, [=](double p, double g, const Kept& k) { return p - adam_step(g, k[0], k[1]); }},
      {"adamw", 2,
       [](S p, C g, S kept, const Tensor& slots) {
         adam_update(p, g, kept.subspan(1, 1), kept.subspan(0, 1), slots,
                     {.weight_decay = 0.1, .decoupled = true});
       },
       adam_slots,
       [=](double p, double g, const Kept& k) {
         return (1 - 1e-3 * 0.1) * p - adam_step(g, k[0], k[1]);
       }},
      {"rmsprop", 1,
       [](S p, C g, S kept, const Tensor& slots) {
         rmsprop_update(p, g, kept, {}, {}, slots, {.eps = 1e-3});
       },
       lr,
       [](double p, double g, const Kept& k) {
         return p - 0.01 * g / (std::sqrt(0.99 * k[0] + 0.01 * g * g) + 1e-3);
       }},
      {"rmsprop centered with momentum", 3,
       [](S p, C g, S kept, const Tensor& slots) {
         rmsprop_update(p, g, kept.subspan(0, 1), kept.subspan(1, 1), kept.subspan(2, 1), slots,
                        {.eps = 1e-3, .momentum = 0.9, .centered = true});
       },
       lr,
       [](double p, double g, const Kept& k) {
         const double square = 0.99 * k[0] + 0.01 * g * g, mean = k[1] + 0.01 * (g - k[1]);
         const double d = g / (std::sqrt(std::max(square - mean * mean, 0.0)) + 1e-3);
         return p - 0.01 * (0.9 * k[2] + d);
       }},
      {"ema", 0, [](S p, C g, S, const Tensor& slots) { ema_update(p, g, slots); }, lr,
       [](double p, double g, const Kept&) { return p + 0.01 * (g - p); }},
  };
}

// Of the norm of all elements together.
void add_clip_rows(const Tensor& x, RowList& rows) {
  const auto bytes = static_cast<double>(x.nbytes());
  rows.add("global norm/f32", [&] {
    return Row{bytes,
               {x},
               [](Tensors& in) -> Tensors { return {global_norm(in)}; },
               [=](const Tensors& got) {
                 const double norm = std::sqrt(sum_of_squares_of(x));
                 return std::fabs(got[0].item() - norm) <= 1e-7 * norm;
               }};
  });
  // The same call again finds a norm of half the bound and touches nothing, so each run first
  // writes where the gradients came from: a pass of its own, counted.
  rows.add("clip by norm/f32", [&] {
    const double norm = std::sqrt(sum_of_squares_of(x));
    return Row{5 * bytes,
               {x, x},
               [=](Tensors& in) -> Tensors {
                 in[0].copy_from(in[1]);
                 clip_norm(std::span<Tensor>(in).subspan(0, 1), norm / 2);
                 return {in[0]};
               },
               [=](const Tensors& got) {
                 return std::fabs(std::sqrt(sum_of_squares_of(got[0])) - norm / 2) <= 1e-5 * norm;
               }};
  });
  rows.add("clip by value/f32", [&] {
    return Row{2 * bytes,
               {x, Tensor::from<double>({0.01}, {1})},
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
               }};
  });
}

}  // namespace

void add_optimizer_rows(std::int64_t numel, RowList& rows) {
  const Tensor x = normal({numel}, DType::f32, {1, 0, 0});
  for (const Optimizer& o : optimizers()) {
    rows.add(row_name(o.name, DType::f32), [&] { return row_of(o, x); });
  }
  add_clip_rows(x, rows);
}

}  // namespace imago::bench
