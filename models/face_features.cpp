#include "models/face_features.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "autograd/ops/max.h"
#include "autograd/ops/slice.h"
#include "kernels/resample/resample.h"
#include "models/checkpoint_entries.h"
#include "nn/layers.h"

namespace imago::models {
namespace {

constexpr const char* format = checkpoint_format::features;
constexpr std::int64_t batch = 128;  // images at a time

nn::ConvBlock block(int in, int out, int kernel, int stride, int padding) {
  return nn::ConvBlock({.in = in,
                        .out = out,
                        .kernel = kernel,
                        .stride = stride,
                        .padding = Padding::same(padding),
                        .activation = nn::Activation::leaky_relu,
                        .slope = 0.1});
}

nn::Sequential make_body() {
  nn::Sequential body;
  int in = 3;
  for (const int width : {32, 64, 96, 128}) {  // 32x32, 16x16, 8x8, 4x4
    body.add(block(in, width, 4, 2, 1));
    if (width < 128) body.add(block(width, width, 3, 1, 1));
    in = width;
  }
  constexpr int thin = 24;
  body.add(block(in, thin, 1, 1, 0));
  body.add(nn::Flatten());
  body.add(nn::Linear({.in = 4 * 4 * thin, .out = FaceFeatures::dimensions}));
  body.add(nn::BatchNorm2d({.channels = FaceFeatures::dimensions}));
  return body;
}

int all_values(const std::vector<FaceAttribute>& attributes) {
  int count = 0;
  for (const FaceAttribute& a : attributes) count += static_cast<int>(a.values.size());
  return count;
}

void check_attributes(const std::vector<FaceAttribute>& attributes) {
  check(!attributes.empty(), "FaceFeatures", "there must be at least one attribute");
  const auto plain = [](const std::string& name) {
    return !name.empty() && name.find_first_of(":;,") == std::string::npos;
  };
  for (const FaceAttribute& a : attributes) {
    check(plain(a.name) && a.values.size() >= 2 &&
              std::all_of(a.values.begin(), a.values.end(), plain),
          "FaceFeatures", "the attribute '", a.name,
          "' must have at least two values, and names without any of ':;,'");
  }
}

std::vector<std::string> split_text(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// Eight digits that other weights would hardly have: FNV-1a of names and bytes (Fowler, Noll & Vo).
std::string fingerprint(const NamedTensors& tensors) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto add = [&](const void* data, std::size_t bytes) {
    const auto* p = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < bytes; ++i) hash = (hash ^ p[i]) * 0x100000001b3u;
  };
  for (const auto& [name, tensor] : tensors) {
    add(name.data(), name.size());
    add(tensor.bytes(), tensor.nbytes());
  }
  char text[16];
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(hash ^ (hash >> 32)));
  return text;
}

}  // namespace

FaceFeatures::FaceFeatures(std::vector<FaceAttribute> attributes)
    : attributes_(std::move(attributes)) {
  check_attributes(attributes_);
  body_ = add_child("body", make_body());
  heads_ = add_child("attributes", nn::Linear({.in = dimensions, .out = all_values(attributes_)}));
}

Var FaceFeatures::forward(const Var& x) {
  check(x.dim() == 4 && x.size(1) == image && x.size(2) == image && x.size(3) == 3, "FaceFeatures",
        "expects images (N, 64, 64, 3), but they are ", x.shape(),
        "; features_of() resamples others");
  return (*body_)(x);
}

Var FaceFeatures::attribute_logits(const Var& embedding) {
  return (*heads_)(embedding);
}

Tensor FaceFeatures::features_of(const Tensor& images) {
  check(images.defined() && images.dim() == 4 && images.size(3) == 3 && images.size(0) >= 1 &&
            images.dtype() == DType::f32,
        "features_of", "expects images (N, H, W, 3) of f32 in [-1, 1]");
  const NoGrad no_grad;
  const nn::Evaluating mode(*this);
  const Device device = heads_->weight().device();
  const std::int64_t N = images.size(0);
  Tensor features = Tensor::empty({N, dimensions}, DType::f32, Device::cpu());
  for (std::int64_t i = 0; i < N; i += batch) {
    const std::int64_t end = std::min(i + batch, N);
    Tensor part = images.slice(i, end).to(device);
    if (part.size(1) != image || part.size(2) != image) {
      part = kernels::resample(part, image, image, Filter::bilinear_antialias);
    }
    features.slice(i, end).copy_from((*this)(part).tensor());
  }
  return features;
}

Tensor FaceFeatures::attributes_of(const Tensor& images) {
  return attributes_of_features(features_of(images));
}

Tensor FaceFeatures::attributes_of_features(const Tensor& features) {
  check(features.defined() && features.dim() == 2 && features.size(1) == dimensions &&
            features.dtype() == DType::f32,
        "attributes_of_features", "expects the features (N, 128) that features_of() gives");
  const NoGrad no_grad;
  const Var logits = attribute_logits(features.to(heads_->weight().device()));
  const std::int64_t N = features.size(0), A = static_cast<std::int64_t>(attributes_.size());
  Tensor values = Tensor::empty({N, A}, DType::i64, Device::cpu());
  std::int64_t* out = values.mutable_data<std::int64_t>();
  std::int64_t begin = 0;
  for (std::int64_t a = 0; a < A; ++a) {
    const auto width =
        static_cast<std::int64_t>(attributes_[static_cast<std::size_t>(a)].values.size());
    const Tensor best =
        ops::argmax(ops::slice(logits, 1, begin, begin + width), 1).to(Device::cpu());
    const std::int64_t* p = best.data<std::int64_t>();
    for (std::int64_t i = 0; i < N; ++i) out[i * A + a] = p[i];
    begin += width;
  }
  return values;
}

std::int64_t FaceFeatures::attribute(const std::string& name) const {
  std::string known;
  for (std::size_t i = 0; i < attributes_.size(); ++i) {
    if (attributes_[i].name == name) return static_cast<std::int64_t>(i);
    known += (i ? ", " : "") + attributes_[i].name;
  }
  fail("FaceFeatures", "there is no attribute '", name, "'; there are ", known);
}

std::string to_text(const std::vector<FaceAttribute>& attributes) {
  std::string text;
  for (const FaceAttribute& a : attributes) {
    text += (text.empty() ? "" : ";") + a.name + ":";
    for (std::size_t i = 0; i < a.values.size(); ++i) text += (i ? "," : "") + a.values[i];
  }
  return text;
}

std::vector<FaceAttribute> face_attributes_of(const std::string& text) {
  std::vector<FaceAttribute> attributes;
  for (const std::string& part : split_text(text, ';')) {
    const std::size_t colon = part.find(':');
    check(colon != std::string::npos, "face_attributes_of", "'", part,
          "' is not NAME:VALUE,VALUE,...");
    attributes.push_back({part.substr(0, colon), split_text(part.substr(colon + 1), ',')});
  }
  check_attributes(attributes);
  return attributes;
}

Metadata face_features_metadata(const FaceFeatures& network, const Metadata& training) {
  Metadata metadata = training;
  metadata["format"] = format;
  metadata["name"] = "face_features";
  metadata["version"] = std::to_string(face_features_version);
  metadata["attributes"] = to_text(network.attributes());
  return metadata;
}

FaceFeatures load_face_features(const std::filesystem::path& path) {
  const SafetensorsFile file = load_safetensors(path);
  check(has_format(file, format), "load_face_features", path,
        " holds no weights of face features; train_features writes them");
  // Fresh weights are drawn and overwritten: leave the caller's draws alone, but not its device.
  const Generator before = Context::current().generator;
  FaceFeatures network(face_attributes_of(file.metadata_entry("attributes")));
  Context::current().generator = before;
  network.load_state_dict(file.tensors);
  network.label_ = file.metadata_entry("name") + " version " + file.metadata_entry("version") +
                   ", weights " + fingerprint(file.tensors);
  network.set_name("face_features");
  return network;
}

FaceFeatures face_features(const std::filesystem::path& file) {
  return load_face_features(file.empty() ? default_face_features() : file);
}

}  // namespace imago::models
