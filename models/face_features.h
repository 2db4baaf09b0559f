// A small recogniser of ours, whose features the scores of generated faces are computed on.
//
// Trained by apps/train_features on procedural faces (models/face_features_trainer.h) to tell
// people apart and to name what is seen of them. Its weights have a name and a version, which every
// score is shown with: figures of different weights do not compare.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nn/linear.h"
#include "nn/safetensors.h"
#include "nn/sequential.h"

namespace imago::models {

// Something to be said about a face, and the answers there are.
struct FaceAttribute {
  std::string name;                 // "glasses"
  std::vector<std::string> values;  // "none", "clear", "dark"; at least two

  bool operator==(const FaceAttribute&) const = default;
};

// Images x (N, 64, 64, 3) in [-1, 1] -> embeddings (N, 128): four halvings by convolutions k4 s2, a
// k3 between them, each with batch norm and leaky ReLU; 1x1 to 24 channels; Linear, batch norm. So
// each feature has about variance 1 over the images it was trained on. A Linear on the embedding
// answers for the attributes. 511,920 parameters, and 129 for each answer.
class FaceFeatures final : public nn::Module {
 public:
  static constexpr int image = 64, dimensions = 128;

  // Fresh weights from the Context's generator. Throws for an attribute without a name or with
  // fewer than two values, and where a name holds one of ":;,".
  explicit FaceFeatures(std::vector<FaceAttribute> attributes);

  Var forward(const Var& x) override;
  // One logit for each value of each attribute, in order: embedding (N, 128) -> (N, all values).
  Var attribute_logits(const Var& embedding);

  // The features (N, 128), f32 on the CPU, of images (N, H, W, 3), f32 in [-1, 1], on any device;
  // those that are not of 64x64 are resampled first (bilinear_antialias). In evaluation mode,
  // without gradients, in batches, on the device of the weights.
  Tensor features_of(const Tensor& images);
  // The likeliest value of each attribute: (N, attributes), i64 on the CPU, of such images or of
  // their features (N, 128).
  Tensor attributes_of(const Tensor& images);
  Tensor attributes_of_features(const Tensor& features);

  const std::vector<FaceAttribute>& attributes() const { return attributes_; }
  // The position of an attribute; throws, naming those there are, when it is none of them.
  std::int64_t attribute(const std::string& name) const;

  // "face_features version 1, weights 5d0c9a3e": what a file says of itself and a checksum of its
  // weights, so that those trained by somebody else are not taken for ours; "untrained" before.
  const std::string& label() const { return label_; }

 private:
  friend FaceFeatures load_face_features(const std::filesystem::path& file);

  std::vector<FaceAttribute> attributes_;
  std::string label_ = "untrained";
  std::shared_ptr<nn::Sequential> body_;
  std::shared_ptr<nn::Linear> heads_;
};

// The version of the committed weights; another architecture or training gets another one.
inline constexpr int face_features_version = 1;

// "glasses:none,clear,dark;beard:...": how a file says what its attributes are, and back.
std::string to_text(const std::vector<FaceAttribute>& attributes);
std::vector<FaceAttribute> face_attributes_of(const std::string& text);

// What a file of weights says of itself, "training" being what else there is to say: data, steps,
// accuracy.
Metadata face_features_metadata(const FaceFeatures& network, const Metadata& training);

// The network of a file that apps/train_features wrote, on the Context's device. Throws, naming the
// file, when it is something else.
FaceFeatures load_face_features(const std::filesystem::path& file);

// The committed weights, "face_features_v1.safetensors", wherever they are found first:
//   $IMAGO_WEIGHTS, a folder, if set; nothing else is looked at then
//   share/imago/weights or models/weights in a folder above the program (installed beside it; a
//   build folder inside the source tree)
//   models/weights of the source tree this was built from; the share folder it is installed to
// Throws, listing where it looked, when they are nowhere.
std::filesystem::path default_face_features();

// The network of `file`, or of the committed weights when it is empty.
FaceFeatures face_features(const std::filesystem::path& file = {});

}  // namespace imago::models
