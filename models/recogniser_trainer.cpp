#include "models/recogniser_trainer.h"

#include <cmath>
#include <utility>

#include "autograd/ops/compare.h"
#include "autograd/ops/max.h"
#include "autograd/ops/sum_to.h"
#include "kernels/elementwise/elementwise.h"
#include "models/checkpoint_entries.h"
#include "nn/loss.h"
#include "nn/margin_loss.h"

namespace imago::models {
namespace {

const char* const op = "RecogniserTrainer";

// Weights of two or more axes, which decay, and all others.
struct Parameters {
  Vars weights, others;
};

Parameters sorted(const Recogniser& network) {
  Parameters all;
  for (const Var& p : network.parameters()) {
    (p.dim() >= 2 ? all.weights : all.others).push_back(p);
  }
  return all;
}

// Group 0 decays, group 1 does not.
template <class Optimizer, class Options>
std::unique_ptr<optim::Optimizer> with_two_groups(const Recogniser& network, Options options) {
  Parameters all = sorted(network);
  auto optimizer = std::make_unique<Optimizer>(std::move(all.weights), options);
  options.weight_decay = 0;
  optimizer->add_group(std::move(all.others), options);
  return optimizer;
}

std::unique_ptr<optim::Optimizer> optimizer_of(const Recogniser& network,
                                               const RecogniserTrainerOptions& o) {
  if (o.optimizer == "sgd") {
    return with_two_groups<optim::SGD>(
        network, optim::SgdOptions{.lr = o.lr, .momentum = 0.9, .weight_decay = o.weight_decay});
  }
  return with_two_groups<optim::AdamW>(
      network, optim::AdamWOptions{.lr = o.lr, .weight_decay = o.weight_decay});
}

optim::Schedule schedule_of(const RecogniserTrainerOptions& o) {
  const std::int64_t warm = o.steps / 20;
  const optim::Schedule cosine = optim::cosine({.steps = o.steps - warm, .floor = 0.01});
  return warm > 0 ? optim::warmup({.steps = warm, .start = 0.05}, cosine) : cosine;
}

// Runs before anything is made from a recogniser that the options do not suit.
Recogniser suited(Recogniser network, const RecogniserTrainerOptions& options) {
  check_recogniser_training(options);
  const RecognitionHead head = network.options().head;
  check(head != RecognitionHead::cosface || options.margin <= 1, op,
        "the margin of cosface is in [0, 1], not ", options.margin);
  check(head != RecognitionHead::arcface || options.margin < std::acos(0.0), op,
        "the margin of arcface is an angle, in [0, pi / 2), not ", options.margin);
  check(head != RecognitionHead::triplet || options.margin > 0, op,
        "the margin of triplet must be positive, not ", options.margin);
  return network;
}

void check_labels(const Tensor& labels, std::int64_t images, const RecogniserOptions& o) {
  check(labels.defined() && labels.dtype() == DType::i64 && labels.shape() == Shape{images}, op,
        "needs a label i64 for each of ", images, " images");
  if (!labels.device().is_cpu()) return;
  const auto classes = static_cast<std::int64_t>(o.classes.size());
  const std::int64_t* p = labels.data<std::int64_t>();
  for (std::int64_t i = 0; i < images; ++i) {
    check(p[i] >= 0 && p[i] < classes, op, "label ", i, " is ", p[i], ", but the recogniser has ",
          classes, " classes");
  }
}

// The share of answers (N, K), or logits (N, 1), that say what labels (N) do: a scalar ().
Var share_of_hits(const Var& answer, const Tensor& labels) {
  const NoGrad no_grad;
  const Tensor said =
      answer.size(1) == 1
          ? kernels::cast(ops::greater(answer, 0.0), DType::i64).reshape({answer.size(0)})
          : ops::argmax(answer, 1);
  return ops::mean(kernels::cast(kernels::equal(said, labels), DType::f32));
}

}  // namespace

double default_margin(RecognitionHead head) {
  if (head == RecognitionHead::cosface) return loss::CosFaceOptions{}.margin;
  if (head == RecognitionHead::arcface) return loss::ArcFaceOptions{}.margin;
  if (head == RecognitionHead::triplet) return loss::TripletOptions{}.margin;
  return 0;
}

void check_recogniser_training(const RecogniserTrainerOptions& o) {
  const auto positive = [](const char* what, double value) {
    check(std::isfinite(value) && value > 0, op, what, " must be positive, not ", value);
  };
  check(o.steps >= 1, op, "needs at least 1 step, not ", o.steps);
  check(o.optimizer == "adamw" || o.optimizer == "sgd", op, "there is no optimizer '", o.optimizer,
        "'; there are adamw and sgd");
  positive("lr", o.lr);
  positive("scale", o.scale);
  check(std::isfinite(o.weight_decay) && o.weight_decay >= 0, op,
        "weight decay must be 0 or more, not ", o.weight_decay);
  check(std::isfinite(o.margin) && o.margin >= 0, op, "margin must be 0 or more, not ", o.margin);
  check(o.label_smoothing >= 0 && o.label_smoothing < 1, op,
        "label smoothing must be in [0, 1), not ", o.label_smoothing);
  check(o.ema >= 0 && o.ema < 1, op, "ema must be in [0, 1), not ", o.ema);
}

RecogniserTrainer::RecogniserTrainer(Recogniser network, const RecogniserTrainerOptions& options)
    : network_(suited(std::move(network), options)),
      options_(options),
      optimizer_(optimizer_of(network_, options)),
      schedule_(schedule_of(options)) {
  network_.set_name("recogniser");
  network_.set_scale(options.scale);
  if (options.ema > 0) {
    average_.emplace(copy_of(network_));
    average_->set_name("averaged");
    ema_.emplace(network_, *average_, options.ema);
  }
}

Var RecogniserTrainer::loss_of(const Var& answer, const Tensor& labels) const {
  const double smoothing = options_.label_smoothing;
  switch (network_.options().head) {
    case RecognitionHead::binary: {
      const Tensor targets = kernels::cast(labels, answer.dtype()).reshape(answer.shape());
      return loss::bce_with_logits(answer, targets);
    }
    case RecognitionHead::softmax:
    case RecognitionHead::expression:
      return loss::cross_entropy(answer, labels, {.label_smoothing = smoothing});
    case RecognitionHead::cosface:
      return loss::cosface(
          answer, labels,
          {.scale = options_.scale, .margin = options_.margin, .label_smoothing = smoothing});
    case RecognitionHead::arcface:
      return loss::arcface(
          answer, labels,
          {.scale = options_.scale, .margin = options_.margin, .label_smoothing = smoothing});
    case RecognitionHead::triplet:
      return loss::triplet_semi_hard(answer, labels, {.margin = options_.margin});
  }
  fail(op, "there is no head ", static_cast<int>(network_.options().head));
}

RecogniserStep RecogniserTrainer::step(const Tensor& images, const Tensor& labels) {
  check(images.defined() && images.dim() == 4, op, "expects images (N, image, image, 3)");
  check_labels(labels, images.size(0), network_.options());
  Generator& generator = Context::current().generator;
  generator.seed = options_.seed;
  generator.begin_step(static_cast<std::uint32_t>(steps_done_ + 1));
  const Tensor truth = labels.to(images.device());
  optimizer_->set_lr_factor(schedule_(steps_done_));
  optimizer_->zero_grad();
  const Var answer = network_.answer(network_(images));
  const Var loss = loss_of(answer, truth);
  RecogniserStep result;
  result.loss = loss.detach();
  if (network_.options().head != RecognitionHead::triplet) {
    result.accuracy = share_of_hits(answer, truth);
  }
  loss.backward();
  optimizer_->step();
  steps_done_ += 1;
  if (ema_) ema_->update(steps_done_);
  return result;
}

void RecogniserTrainer::start_from(const Recogniser& other) {
  check(steps_done_ == 0, op, "takes other weights before its first step, not after ", steps_done_);
  const RecogniserOptions &theirs = other.options(), &ours = network_.options();
  std::string differs;
  const auto compare = [&](const char* what, const std::string& there, const std::string& here) {
    if (there == here) return;
    differs += differs.empty() ? "" : "; ";
    differs += std::string("its ") + what + " is " + there + ", here it is " + here;
  };
  compare("network", theirs.cnn.network, ours.cnn.network);
  compare("input", theirs.grey ? "grey" : "rgb", ours.grey ? "grey" : "rgb");
  compare("image", std::to_string(theirs.cnn.image), std::to_string(ours.cnn.image));
  compare("base", std::to_string(theirs.cnn.base), std::to_string(ours.cnn.base));
  compare("dimensions", std::to_string(theirs.cnn.dimensions), std::to_string(ours.cnn.dimensions));
  check(differs.empty(), op, "cannot start from a recogniser of another kind: ", differs);
  const NamedTensors weights = other.body().state_dict();
  network_.body().load_state_dict(weights);
  if (average_) average_->body().load_state_dict(weights);
}

NamedTensors RecogniserTrainer::state() const {
  NamedTensors all;
  insert_under(all, "network", network_.state_dict());
  insert_under(all, "optimizer", optimizer_->state_dict());
  if (average_) insert_under(all, "average", average_->state_dict());
  return all;
}

Metadata RecogniserTrainer::metadata() const {
  Metadata metadata = recogniser_metadata(network_.options());
  metadata["format"] = checkpoint_format::recogniser;
  metadata["steps"] = std::to_string(options_.steps);
  metadata["optimizer"] = options_.optimizer;
  metadata["lr"] = shortest(options_.lr);
  metadata["weight_decay"] = shortest(options_.weight_decay);
  metadata["label_smoothing"] = shortest(options_.label_smoothing);
  metadata["margin"] = shortest(options_.margin);
  metadata["ema"] = shortest(options_.ema);
  metadata["seed"] = std::to_string(options_.seed);
  metadata["step"] = std::to_string(steps_done_);
  return metadata;
}

void RecogniserTrainer::load(const SafetensorsFile& file) {
  if (!has_format(file, checkpoint_format::recogniser)) {
    refuse_checkpoint(file, "a recogniser checkpoint of Imago");
  }
  for (const auto& [key, value] : metadata()) {
    if (key == "step") continue;
    const std::string& theirs = file.metadata_entry(key);
    if (key == "classes") {
      check(theirs == value, "checkpoint", file.path, " was trained to tell other classes apart");
    }
    check(theirs == value, "checkpoint", file.path, " was trained with ", key, " ", theirs,
          ", not ", value);
  }
  network_.load_state_dict(file.group("network"));
  optimizer_->load_state_dict(file.group("optimizer"));
  if (average_) average_->load_state_dict(file.group("average"));
  steps_done_ = static_cast<std::int64_t>(whole_entry(file, "step"));
}

}  // namespace imago::models
