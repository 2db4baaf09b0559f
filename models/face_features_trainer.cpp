#include "models/face_features_trainer.h"

#include <algorithm>

#include "autograd/ops/add.h"
#include "autograd/ops/max.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/slice.h"
#include "nn/loss.h"

namespace imago::models {
namespace {

const char* const op = "FaceFeaturesTrainer";

Vars all_parameters(const FaceFeatures& network, const nn::Linear& identities) {
  Vars all = network.parameters();
  for (const Var& p : identities.parameters()) all.push_back(p);
  return all;
}

// How many of labels (N) are where rows (N, K) are largest.
std::int64_t count_hits(const Var& rows, const Tensor& labels) {
  const Tensor best = ops::argmax(rows, 1).to(Device::cpu()), host = labels.to(Device::cpu());
  const std::int64_t *a = best.data<std::int64_t>(), *b = host.data<std::int64_t>();
  std::int64_t hits = 0;
  for (std::int64_t i = 0; i < host.numel(); ++i) hits += a[i] == b[i];
  return hits;
}

}  // namespace

FaceFeaturesTrainer::FaceFeaturesTrainer(FaceFeatures& network,
                                         const FaceFeaturesTrainerOptions& options)
    : network_(network),
      options_(options),
      identities_({.in = FaceFeatures::dimensions, .out = options.identities}) {
  check(options.identities >= 2, op, "needs at least 2 identities, not ", options.identities);
  check(options.steps >= 1, op, "needs at least 1 step, not ", options.steps);
  identities_.set_name("identities");
  identities_.to(network.parameters().at(0).device());
  optimizer_.emplace(all_parameters(network, identities_),
                     optim::AdamWOptions{.lr = options.lr, .weight_decay = options.weight_decay});
  const std::int64_t warm = options.steps / 20;
  schedule_ = optim::cosine({.steps = options.steps - warm, .floor = 0.01});
  if (warm > 0) schedule_ = optim::warmup({.steps = warm, .start = 0.05}, schedule_);
}

FaceFeaturesStep FaceFeaturesTrainer::step(const Tensor& images, const FaceLabels& labels) {
  check(steps_done_ < options_.steps, op, "all of its ", options_.steps, " steps are done");
  check(labels.attributes.size() == network_.attributes().size(), op, "needs labels for ",
        network_.attributes().size(), " attributes, not ", labels.attributes.size());
  const Device device = images.device();
  optimizer_->set_lr_factor(schedule_(steps_done_));
  optimizer_->zero_grad();
  FaceFeaturesStep result;
  const Var embedding = network_(images);
  result.identity = loss::cross_entropy(identities_(embedding), labels.identities.to(device),
                                        {.label_smoothing = options_.label_smoothing});
  const Var logits = network_.attribute_logits(embedding);
  std::int64_t begin = 0;
  for (std::size_t a = 0; a < labels.attributes.size(); ++a) {
    const auto width = static_cast<std::int64_t>(network_.attributes()[a].values.size());
    const Var one = loss::cross_entropy(ops::slice(logits, 1, begin, begin + width),
                                        labels.attributes[a].to(device));
    result.attributes = result.attributes ? ops::add(result.attributes, one) : one;
    begin += width;
  }
  result.loss = ops::add(result.identity, ops::scale(result.attributes, options_.attribute_weight));
  result.loss.backward();
  optimizer_->step();
  steps_done_ += 1;
  return result;
}

FaceFeaturesTrainer::Hits FaceFeaturesTrainer::hits(const Tensor& images,
                                                    const FaceLabels& labels) {
  const NoGrad no_grad;
  const nn::Evaluating mode(network_);
  const Var embedding = network_(images);
  Hits hits;
  hits.identities = count_hits(identities_(embedding), labels.identities);
  const Var logits = network_.attribute_logits(embedding);
  std::int64_t begin = 0;
  for (std::size_t a = 0; a < labels.attributes.size(); ++a) {
    const auto width = static_cast<std::int64_t>(network_.attributes()[a].values.size());
    hits.attributes.push_back(
        count_hits(ops::slice(logits, 1, begin, begin + width), labels.attributes[a]));
    begin += width;
  }
  return hits;
}

}  // namespace imago::models
