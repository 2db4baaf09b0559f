// The table: every function of nn/loss.h, nn/gan_loss.h, nn/gradient_penalty.h, nn/margin_loss.h
// and nn/vae_loss.h, with each of its options.
#include <cmath>
#include <cstdint>

#include "autograd/ops/add.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/sum_to.h"
#include "autograd/ops/tanh.h"
#include "kernels/elementwise/elementwise.h"
#include "loss_case.h"
#include "nn/gan_loss.h"
#include "nn/gradient_penalty.h"
#include "nn/loss.h"
#include "nn/margin_loss.h"
#include "nn/vae_loss.h"
#include "tensor/random_stream.h"
#include "tests/kernels/random.h"

namespace imago::test {
namespace {

constexpr double distance = 0.05;  // from a kink

// Element i of an argument. The kinks cut its range into parts, which the elements take in turn.
double value_of(const LossArgument& a, std::int64_t i, RandomStream& stream) {
  const auto below = static_cast<std::size_t>(i) % (a.kinks.size() + 1);
  const double low = below == 0 ? a.low : a.kinks[below - 1] + distance;
  const double high = below == a.kinks.size() ? a.high : a.kinks[below] - distance;
  return low + (high - low) * static_cast<double>(stream.uniform());
}

// Labels (N) for logits (N, K): every class in turn, with `holes` every fourth row ignored.
Var labels_for(const Var& logits, bool holes = false) {
  Tensor labels = Tensor::empty({logits.size(0)}, DType::i64, Device::cpu());
  for (std::int64_t i = 0; i < labels.numel(); ++i) {
    labels.mutable_data<std::int64_t>()[i] = holes && i % 4 == 3 ? -100 : i % logits.size(1);
  }
  return labels.to(logits.device());
}

using TwoVars = std::function<Var(const Var&, const Var&)>;

// A loss of a - b with these kinks.
LossCase of_difference(const char* loss, const char* name, const std::vector<double>& kinks,
                       const TwoVars& f) {
  return {.loss = loss,
          .name = name,
          .f = [f](const Vars& v) { return f(v[0], v[1]); },
          .arguments = {{-2.5, 2.5, kinks}, {}},
          .difference = true};
}

LossCase of_logits(const char* loss, const char* name, const std::function<Var(const Var&)>& f) {
  return {.loss = loss,
          .name = name,
          .f = [f](const Vars& v) { return f(v[0]); },
          .arguments = {LossArgument{-3, 3}}};
}

LossCase of_classes(const char* name, bool holes, const loss::CrossEntropyOptions& options) {
  return {.loss = "cross_entropy",
          .name = name,
          .f =
              [holes, options](const Vars& v) {
                return loss::cross_entropy(v[0], labels_for(v[0], holes), options);
              },
          .arguments = {LossArgument{}},
          .x = {5, 3}};
}

// A loss of cosines (5, 3). Those of the own classes take the parts between the kinks in turn too.
template <class Options>
LossCase of_cosines(const char* loss, const char* name,
                    Var (*f)(const Var&, const Var&, const Options&), const Options& options,
                    const std::vector<double>& kinks = {}) {
  return {.loss = loss,
          .name = name,
          .f = [f, options](const Vars& v) { return f(v[0], labels_for(v[0]), options); },
          .arguments = {{-0.97, 0.97, kinks}},
          .x = {5, 3}};
}

// Embeddings (6, 2) of two people, or 240 of them in what threads share: all pairs of 120 each.
LossCase of_triplets(const char* name, const loss::TripletOptions& options) {
  return {
      .loss = "triplet_semi_hard",
      .name = name,
      .f = [options](
               const Vars& v) { return loss::triplet_semi_hard(v[0], labels_for(v[0]), options); },
      .arguments = {LossArgument{-1, 1}},
      .x = {6, 2},
      .times_shared = 40};
}

std::vector<LossCase> margin_losses() {
  const auto joint = [](double margin) { return std::vector{-std::cos(margin)}; };
  return {
      of_cosines<loss::CosFaceOptions>("cosface", "the defaults", loss::cosface, {}),
      of_cosines<loss::CosFaceOptions>("cosface", "all options", loss::cosface,
                                       {.scale = 6, .margin = 0.2, .label_smoothing = 0.2}),
      of_cosines<loss::ArcFaceOptions>("arcface", "the defaults", loss::arcface, {}, joint(0.5)),
      of_cosines<loss::ArcFaceOptions>("arcface", "all options", loss::arcface,
                                       {.scale = 6, .margin = 1.1, .label_smoothing = 0.2},
                                       joint(1.1)),
      of_triplets("margin 1", {.margin = 1}),
      of_triplets("margin 3", {.margin = 3}),
  };
}

// A penalty on a small critic, as a function of its weights a and b, each (F, 2): scores (N, 2) for
// rows (N, F). Neither scores nor slopes are linear in either of them.
LossCase of_critic(const char* loss, const char* name,
                   const std::function<Var(const loss::Critic&, std::int64_t, DType)>& f) {
  return {.loss = loss,
          .name = name,
          .f =
              [f](const Vars& v) {
                const loss::Critic critic = [&v](const Var& x) {
                  return ops::mul(ops::tanh(ops::matmul(x, v[0])), ops::matmul(x, v[1]));
                };
                return f(critic, v[0].size(0), v[0].dtype());
              },
          .arguments = {{-0.8, 0.8}, {-0.8, 0.8}}};
}

Var gradient_penalty_of(const loss::Critic& critic, std::int64_t columns, DType dtype,
                        double target) {
  const Tensor mix = Tensor::from<double>({0.25, 0.5, 0.875, 0}, {4});
  return loss::gradient_penalty(critic, normals({4, columns}, dtype, 3),
                                normals({4, columns}, dtype, 4), kernels::cast(mix, dtype), target);
}

// A term of a VAE, one value for each image or latent, as the loss it becomes: its mean in acc_t.
LossCase of_term(const char* function, const std::vector<LossArgument>& arguments,
                 const std::function<Var(const Vars&)>& f) {
  return {.loss = function,
          .name = "",
          .f =
              [f](const Vars& v) {
                const Var term = f(v);
                return ops::mean(ops::cast(term, acc_dtype(term.dtype())));
              },
          .arguments = arguments};
}

std::vector<LossCase> vae_terms() {
  const LossArgument any{}, positive{0.1, 2};
  return {
      of_term("reparameterise", {any, any, any},
              [](const Vars& v) { return loss::reparameterise(v[0], v[1], v[2]); }),
      of_term("gaussian_kl", {any, any},
              [](const Vars& v) { return loss::gaussian_kl(v[0], v[1]); }),
      {.loss = "kl_per_image",
       .name = "",
       .f = [](const Vars& v) { return loss::kl_per_image(v[0]); },
       .arguments = {positive}},
      // The first latent's mean is near 0.3 nats, the other's near 1.5.
      {.loss = "kl_per_image",
       .name = "free bits",
       .f =
           [](const Vars& v) {
             const Tensor near = Tensor::from<double>({0.3, 1.5}, {1, 2});
             return loss::kl_per_image(ops::add(v[0], kernels::cast(near, v[0].dtype())), 0.8);
           },
       .arguments = {LossArgument{-0.2, 0.2}}},
      of_term(
          "gaussian_log_likelihood", {any, any, {-0.5, 0.5}},
          [](const Vars& v) { return loss::gaussian_log_likelihood(v[0], v[1], ops::mean(v[2])); }),
      of_term("bernoulli_log_likelihood", {{0.05, 0.95}, {-3, 3}},
              [](const Vars& v) { return loss::bernoulli_log_likelihood(v[0], v[1]); }),
      of_term("to_unit_range", {any}, [](const Vars& v) { return loss::to_unit_range(v[0]); }),
      of_term("standard_normal_log_density", {any},
              [](const Vars& v) { return loss::standard_normal_log_density(v[0]); }),
      of_term("iwae_bound", {any}, [](const Vars& v) { return loss::iwae_bound(v[0]); }),
  };
}

}  // namespace

Vars arguments_of(const LossCase& c, DType dtype, std::int64_t times) {
  Shape shape = c.x;
  shape.set(0, shape[0] * times);
  std::vector<std::vector<double>> values;
  for (std::size_t k = 0; k < c.arguments.size(); ++k) {
    RandomStream stream(31, static_cast<std::uint32_t>(k));
    values.emplace_back();
    for (std::int64_t i = 0; i < shape.numel(); ++i) {
      values.back().push_back(value_of(c.arguments[k], i, stream));
    }
  }
  if (c.difference) {
    for (std::size_t i = 0; i < values[0].size(); ++i) values[0][i] += values[1][i];
  }
  Vars arguments;
  for (const std::vector<double>& of_one : values) {
    std::size_t i = 0;
    arguments.push_back(
        parameter(filled(shape, dtype, [&] { return static_cast<float>(of_one[i++]); })));
  }
  return arguments;
}

std::vector<LossCase> all_loss_cases() {
  const LossArgument logits{-3, 3};
  std::vector<LossCase> cases = {
      {.loss = "bce_with_logits(logits, targets)",
       .name = "targets that are learned too",
       .f = [](const Vars& v) { return loss::bce_with_logits(v[0], v[1]); },
       .arguments = {logits, {0.05, 0.95}}},
      of_logits("bce_with_logits(logits, target)", "between real and fake",
                [](const Var& x) { return loss::bce_with_logits(x, 0.3); }),
      of_classes("the defaults", false, {}),
      of_classes("rows ignored", true, {}),
      of_classes("smoothed, rows ignored", true, {.label_smoothing = 0.2}),
      of_classes("class 1 ignored", false, {.ignore_index = 1}),
      of_difference("mse", "", {}, loss::mse),
      of_difference("l1", "", {0}, loss::l1),
      of_difference("huber", "the default", {-1, 1},
                    [](const Var& a, const Var& b) { return loss::huber(a, b); }),
      of_difference("huber", "delta 0.4", {-0.4, 0.4},
                    [](const Var& a, const Var& b) { return loss::huber(a, b, 0.4); }),
      of_difference("smooth_l1", "the default", {-1, 1},
                    [](const Var& a, const Var& b) { return loss::smooth_l1(a, b); }),
      of_difference("smooth_l1", "beta 0.4", {-0.4, 0.4},
                    [](const Var& a, const Var& b) { return loss::smooth_l1(a, b, 0.4); }),
      of_difference("smooth_l1", "beta 0", {0},
                    [](const Var& a, const Var& b) { return loss::smooth_l1(a, b, 0); }),
      {.loss = "gan_d",
       .name = "",
       .f = [](const Vars& v) { return loss::gan_d(v[0], v[1]); },
       .arguments = {logits, logits}},
      of_logits("gan_g", "", loss::gan_g),
      of_logits("gan_g_minimax", "", loss::gan_g_minimax),
      {.loss = "hinge_d",
       .name = "",
       .f = [](const Vars& v) { return loss::hinge_d(v[0], v[1]); },
       .arguments = {{-3, 3, {1}}, {-3, 3, {-1}}}},
      of_logits("hinge_g", "", loss::hinge_g),
      {.loss = "gan_d",
       .name = "one-sided smoothing",
       .f = [](const Vars& v) { return loss::gan_d(v[0], v[1], 0.9); },
       .arguments = {logits, logits}},
      {.loss = "lsgan_d",
       .name = "",
       .f = [](const Vars& v) { return loss::lsgan_d(v[0], v[1]); },
       .arguments = {logits, logits}},
      {.loss = "lsgan_d",
       .name = "one-sided smoothing",
       .f = [](const Vars& v) { return loss::lsgan_d(v[0], v[1], 0.9); },
       .arguments = {logits, logits}},
      of_logits("lsgan_g", "", loss::lsgan_g),
      {.loss = "wasserstein_d",
       .name = "",
       .f = [](const Vars& v) { return loss::wasserstein_d(v[0], v[1]); },
       .arguments = {logits, logits}},
      of_logits("wasserstein_g", "", loss::wasserstein_g),
      of_critic("gradient_penalty", "by the weights of the critic",
                [](const loss::Critic& critic, std::int64_t columns, DType dtype) {
                  return gradient_penalty_of(critic, columns, dtype, 1);
                }),
      of_critic("gradient_penalty", "towards no slope at all",
                [](const loss::Critic& critic, std::int64_t columns, DType dtype) {
                  return gradient_penalty_of(critic, columns, dtype, 0);
                }),
      of_critic("r1_penalty", "by the weights of the critic",
                [](const loss::Critic& critic, std::int64_t columns, DType dtype) {
                  return loss::r1_penalty(critic, normals({4, columns}, dtype, 3));
                }),
  };
  for (const std::vector<LossCase>& more : {margin_losses(), vae_terms()}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  return cases;
}

}  // namespace imago::test
