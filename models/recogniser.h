// A network that embeds faces, and the head it is trained with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/face_cnn.h"
#include "models/face_encoder.h"
#include "nn/safetensors.h"

namespace imago::models {

// binary      one logit: class 1 of two
// softmax     a Linear over the identities trained on
// expression  the same over expressions: what is asked for is the class, not the embedding
// cosface, arcface   cosines with one direction for each identity (nn/margin_loss.h)
// triplet     nothing: the embedding itself
enum class RecognitionHead : std::uint8_t {
  binary,
  softmax,
  expression,
  cosface,
  arcface,
  triplet
};
const char* name(RecognitionHead head);
const std::vector<std::string>& recognition_heads();
RecognitionHead recognition_head(const std::string& name);  // throws, naming those there are

struct RecogniserOptions {
  FaceCnnOptions cnn = {};  // cnn.channels is 1 where `grey` is set, else 3
  RecognitionHead head = RecognitionHead::softmax;
  bool grey = false;  // sees the luma (Rec. 601) of its images alone
  // What it is trained to tell apart: 2 for binary, else 2 or more, all different; names without
  // line breaks.
  std::vector<std::string> classes;
  double scale = 30;  // of the cosines of cosface and arcface, where they become logits
  // Of a network without its head, which then is as that of triplet: the head it was trained with.
  // "": it has the one it was trained with.
  std::string trained_with = {};
};
// Throws for options that make no sense, saying what would.
void check_recogniser(const RecogniserOptions& options);

class Recogniser final : public nn::Module {
 public:
  // Fresh weights from the Context's generator. Throws for options that make no sense.
  explicit Recogniser(const RecogniserOptions& options);

  // Images (N, image, image, 3) in [-1, 1] -> embeddings (N, dimensions), of any length.
  Var forward(const Var& images) override;
  // What the head says of embeddings: (N, 1) binary; (N, K) logits of softmax and expression,
  // cosines of cosface and arcface; (N, dimensions) of length 1 of triplet.
  Var answer(const Var& embeddings);

  // As given, but with the channels, and of seed003 the dimensions, that it really has.
  const RecogniserOptions& options() const { return options_; }
  std::int64_t dimensions() const { return options_.cnn.dimensions; }
  Device device() const { return parameters().at(0).device(); }
  void set_scale(double scale);  // positive
  // Of the parts: "body" and, but for triplet, "head".
  nn::Sequential& body() const { return *body_; }

 private:
  RecogniserOptions options_;
  std::shared_ptr<nn::Sequential> body_;
  std::shared_ptr<nn::Module> head_;  // null for triplet
};

// The same weights in memory of their own, on the same device and in training mode. Leaves the
// caller's draws alone.
Recogniser copy_of(const Recogniser& network);

// Embeddings alone, with a copy of the body's weights: a head grows with the people trained on, and
// comparing faces takes none. Throws for binary and expression, whose answers are the head's.
Recogniser without_head(const Recogniser& network);

// What a file says of a recogniser: "format", network, sizes, head, classes (one a line), scale.
Metadata recogniser_metadata(const RecogniserOptions& options);
// And back. Of either kind of file: a checkpoint of models/recogniser_trainer.h, or weights alone.
// Throws, naming the file, when it is something else.
RecogniserOptions recogniser_options(const SafetensorsFile& file);
// The recogniser of such a file, on the Context's device; of a checkpoint the averaged weights
// where there are such. Fresh weights that are overwritten leave the caller's draws alone.
Recogniser load_recogniser(const SafetensorsFile& file);
Recogniser load_recogniser(const std::filesystem::path& file);
// Weights alone ("body....", "head...."), with what else there is to say `about` them: data, steps,
// accuracy. Such entries may not have the name of one of recogniser_metadata.
void save_recogniser(const std::filesystem::path& file, const Recogniser& network,
                     const Metadata& about = {});

// As a FaceEncoder: embeddings of length 1, compared by their cosine. An image's embedding is that
// of it plus that of its mirror image, before normalisation, if `mirror`.
class RecogniserEncoder final : public FaceEncoder {
 public:
  explicit RecogniserEncoder(Recogniser network, bool mirror = true);
  std::string label() const override;
  Tensor encode(const Tensor& images) override;
  Tensor similarity(const Tensor& a, const Tensor& b) const override;

  // Probabilities of the classes, (N, K) f32 on the CPU: of binary 1 - p and p, of cosface and
  // arcface the softmax of the scaled cosines. Throws for triplet, which knows no classes.
  Tensor classify(const Tensor& images);
  Recogniser& network() { return network_; }

 private:
  // What f makes of the embeddings (n, dimensions) of some images at a time: rows of `columns`.
  Tensor in_batches(const Tensor& images, std::int64_t columns,
                    const std::function<Var(const Var&)>& f);

  Recogniser network_;
  bool mirror_;
};

}  // namespace imago::models
