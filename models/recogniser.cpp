#include "models/recogniser.h"

#include <cmath>
#include <set>
#include <utility>

#include "autograd/ops/cast.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/reshape.h"
#include "models/checkpoint_entries.h"
#include "nn/cosine.h"
#include "nn/linear.h"

namespace imago::models {
namespace {

constexpr RecognitionHead all_heads[] = {RecognitionHead::binary,     RecognitionHead::softmax,
                                         RecognitionHead::expression, RecognitionHead::cosface,
                                         RecognitionHead::arcface,    RecognitionHead::triplet};

bool of_cosines(RecognitionHead head) {
  return head == RecognitionHead::cosface || head == RecognitionHead::arcface;
}

// With what the network will really have, so that equal networks have equal options.
RecogniserOptions completed(RecogniserOptions o) {
  o.cnn.channels = o.grey ? 1 : 3;
  if (o.cnn.network == "seed003") {
    const FaceCnnOptions usual;
    o.cnn.base = usual.base;
    o.cnn.dimensions = 128;
    o.cnn.dropout = 0;
  }
  check_recogniser(o);
  return o;
}

// Luma of Rec. 601: images (N, S, S, 3) -> (N, S, S, 1).
Var luma(const Var& images) {
  const Tensor weights = Tensor::from<float>({0.299f, 0.587f, 0.114f}, {3, 1}).to(images.device());
  const std::int64_t N = images.size(0), H = images.size(1), W = images.size(2);
  const Var pixels = ops::reshape(images, {N * H * W, 3});
  return ops::reshape(ops::matmul(pixels, ops::cast(weights, images.dtype())), {N, H, W, 1});
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : "\n") + name;
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines(1);
  for (const char c : text) {
    if (c == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += c;
    }
  }
  return lines;
}

}  // namespace

const char* name(RecognitionHead head) {
  switch (head) {
    case RecognitionHead::binary:
      return "binary";
    case RecognitionHead::softmax:
      return "softmax";
    case RecognitionHead::expression:
      return "expression";
    case RecognitionHead::cosface:
      return "cosface";
    case RecognitionHead::arcface:
      return "arcface";
    case RecognitionHead::triplet:
      return "triplet";
  }
  fail("recogniser", "there is no head ", static_cast<int>(head));
}

const std::vector<std::string>& recognition_heads() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const RecognitionHead head : all_heads) all.emplace_back(models::name(head));
    return all;
  }();
  return names;
}

RecognitionHead recognition_head(const std::string& name) {
  for (const RecognitionHead head : all_heads) {
    if (name == models::name(head)) return head;
  }
  fail("recogniser", "there is no head '", name,
       "'; there are binary, softmax, expression, cosface, arcface and triplet");
}

void check_recogniser(const RecogniserOptions& o) {
  FaceCnnOptions cnn = o.cnn;
  cnn.channels = o.grey ? 1 : 3;
  check_face_cnn(cnn);
  check(std::isfinite(o.scale) && o.scale > 0, "recogniser", "scale must be positive, not ",
        o.scale);
  const std::size_t count = o.classes.size();
  if (o.head == RecognitionHead::binary) {
    check(count == 2, "recogniser", "the head binary tells 2 classes apart, but there are ", count,
          "; softmax takes more");
  }
  check(count >= 2, "recogniser", "the head ", name(o.head),
        " needs at least 2 classes to tell apart, but there are ", count);
  check(o.trained_with.empty() || o.head == RecognitionHead::triplet, "recogniser", "has the head ",
        name(o.head), ", so it is not one without its ", o.trained_with);
  if (!o.trained_with.empty()) recognition_head(o.trained_with);
  std::set<std::string> seen;
  for (const std::string& one : o.classes) {
    check(!one.empty() && one.find('\n') == std::string::npos, "recogniser", "'", one,
          "' is no name of a class: it is empty or has a line break");
    check(seen.insert(one).second, "recogniser", "two classes are called '", one, "'");
  }
}

Recogniser::Recogniser(const RecogniserOptions& options) : options_(completed(options)) {
  body_ = add_child("body", face_cnn(options_.cnn));
  const int in = options_.cnn.dimensions, classes = static_cast<int>(options_.classes.size());
  if (of_cosines(options_.head)) {
    head_ = add_child("head", nn::CosineLinear({.in = in, .out = classes}));
  } else if (options_.head != RecognitionHead::triplet) {
    const int out = options_.head == RecognitionHead::binary ? 1 : classes;
    head_ = add_child("head", nn::Linear({.in = in, .out = out}));
  }
}

Var Recogniser::forward(const Var& images) {
  const std::int64_t size = options_.cnn.image;
  check(
      images.dim() == 4 && images.size(1) == size && images.size(2) == size && images.size(3) == 3,
      "recogniser", "expects images (N, ", size, ", ", size, ", 3) but the input is ",
      images.shape(), "; RecogniserEncoder resamples others");
  return (*body_)(options_.grey ? luma(images) : images);
}

Var Recogniser::answer(const Var& embeddings) {
  check(embeddings.dim() == 2 && embeddings.size(1) == dimensions(), "recogniser",
        "expects embeddings (N, ", dimensions(), ") but they are ", embeddings.shape());
  return head_ ? (*head_)(embeddings) : nn::l2_normalize(embeddings);
}

void Recogniser::set_scale(double scale) {
  check(std::isfinite(scale) && scale > 0, "recogniser", "scale must be positive, not ", scale);
  options_.scale = scale;
}

Recogniser copy_of(const Recogniser& network) {
  const ContextScope scope;  // fresh weights are drawn and overwritten: leave the caller's draws
  Recogniser copy(network.options());
  copy.to(network.device());
  copy.load_state_dict(network.state_dict());
  return copy;
}

Recogniser without_head(const Recogniser& network) {
  RecogniserOptions options = network.options();
  check(options.head != RecognitionHead::binary && options.head != RecognitionHead::expression,
        "without_head", "a recogniser with the head ", name(options.head),
        " says of which class a face is, which takes the head");
  if (options.head != RecognitionHead::triplet) options.trained_with = name(options.head);
  options.head = RecognitionHead::triplet;
  const ContextScope scope;  // fresh weights are drawn and overwritten: leave the caller's draws
  Recogniser bare(options);
  bare.to(network.device());
  bare.body().load_state_dict(network.body().state_dict());
  return bare;
}

Metadata recogniser_metadata(const RecogniserOptions& options) {
  const RecogniserOptions o = completed(options);
  Metadata metadata = {{"format", checkpoint_format::recogniser_weights},
                       {"network", o.cnn.network},
                       {"image", std::to_string(o.cnn.image)},
                       {"base", std::to_string(o.cnn.base)},
                       {"dimensions", std::to_string(o.cnn.dimensions)},
                       {"dropout", shortest(o.cnn.dropout)},
                       {"head", name(o.head)},
                       {"colours", o.grey ? "grey" : "rgb"},
                       {"classes", joined(o.classes)},
                       {"scale", shortest(o.scale)}};
  if (!o.trained_with.empty()) metadata["trained_with"] = o.trained_with;
  return metadata;
}

RecogniserOptions recogniser_options(const SafetensorsFile& file) {
  if (!has_format(file, checkpoint_format::recogniser) &&
      !has_format(file, checkpoint_format::recogniser_weights)) {
    refuse_checkpoint(file, "a recogniser of Imago");
  }
  RecogniserOptions o;
  o.cnn.network = file.metadata_entry("network");
  o.cnn.image = static_cast<int>(whole_entry(file, "image"));
  o.cnn.base = static_cast<int>(whole_entry(file, "base"));
  o.cnn.dimensions = static_cast<int>(whole_entry(file, "dimensions"));
  o.cnn.dropout = number_entry(file, "dropout");
  o.head = recognition_head(file.metadata_entry("head"));
  const std::string& colours = file.metadata_entry("colours");
  check(colours == "grey" || colours == "rgb", "checkpoint", file.path,
        ": colours should be grey or rgb, not '", colours, "'");
  o.grey = colours == "grey";
  o.classes = lines_of(file.metadata_entry("classes"));
  o.scale = number_entry(file, "scale");
  const auto trained_with = file.metadata.find("trained_with");
  if (trained_with != file.metadata.end()) o.trained_with = trained_with->second;
  return completed(o);
}

Recogniser load_recogniser(const SafetensorsFile& file) {
  const RecogniserOptions options = recogniser_options(file);
  const ContextScope scope;  // fresh weights are drawn and overwritten: leave the caller's draws
  Recogniser network(options);
  if (has_format(file, checkpoint_format::recogniser_weights)) {
    network.load_state_dict(file.tensors);
  } else {
    const bool averaged = !entries_under(file.tensors, "average").empty();
    network.load_state_dict(file.group(averaged ? "average" : "network"));
  }
  return network;
}

Recogniser load_recogniser(const std::filesystem::path& file) {
  return load_recogniser(load_safetensors(file));
}

void save_recogniser(const std::filesystem::path& file, const Recogniser& network,
                     const Metadata& about) {
  Metadata metadata = recogniser_metadata(network.options());
  for (const auto& [key, value] : about) {
    check(metadata.emplace(key, value).second, "save_recogniser", "the entry '", key,
          "' says what the network is; call yours something else");
  }
  save_safetensors(file, network.state_dict(), metadata);
}

}  // namespace imago::models
