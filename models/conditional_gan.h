// Conditional GANs: one is told what to draw. The generator is residual with class-conditional
// batch norm, the discriminator one of two:
//
//   projection  Miyato & Koyama 2018 (arXiv 1802.05637, eq. 3): the logit of an image x of class y
//               is linear(f(x)) + <embedding(y), f(x)>, f being the features of
//               models/resnet_gan.h. Real or fake is judged for the class that was asked for.
//   acgan       Odena, Olah & Shlens 2017 (arXiv 1610.09585): beside the logit, linear(f(x)), a
//               linear classifier of f(x) says which class it sees; D learns to be right, and G to
//               make it right (models/conditional_gan_trainer.h).
//
// The generator takes classes in by batch norm, not by an embedding joined to z, because that
// reaches every resolution: an attribute of few pixels, such as the rim of glasses at 32x32, is
// decided in the last blocks, to which a label given at 4x4 comes only as far as what lies between
// has learnt to carry it. What z says and what the class says also stay apart by construction.
#pragma once

#include <string>
#include <vector>

#include "models/conditional_layers.h"
#include "models/resnet_gan.h"
#include "nn/conv2d.h"
#include "nn/linear.h"
#include "nn/sequential.h"

namespace imago::models {

enum class Conditioning { projection, acgan };
const char* name_of(Conditioning conditioning);
Conditioning conditioning_named(const std::string& name);  // throws for another name

struct ConditionalGanSpec {
  int classes = 2;  // K
  Conditioning conditioning = Conditioning::projection;
  int image = 32;  // height and width: 8, 16, 32, 64 or 128
  int base = 32;   // channels at the full image size, as of ResnetGanOptions
  int z = 128;     // length of the noise vector

  bool operator==(const ConditionalGanSpec&) const = default;
};

// z (N, z) and labels (N) in [0, K) -> images (N, image, image, 3) in [-1, 1]. Children "linear",
// "blocks.0", ..., "norm", "conv".
class ConditionalGenerator final : public ConditionalModule {
 public:
  explicit ConditionalGenerator(const ConditionalGanSpec& spec);
  Var compute(const Var& z, const Tensor& labels) override;

 private:
  int width_;  // of the 4x4 images it starts from
  std::shared_ptr<nn::Linear> linear_;
  std::vector<std::shared_ptr<ConditionalUpBlock>> blocks_;
  std::shared_ptr<nn::BatchNorm2d> norm_;
  std::shared_ptr<nn::Conv2d> conv_;
};

// What the discriminator says of images.
struct ConditionalScores {
  Var logits;   // (N, 1): real or fake; with projection, as images of their classes
  Var classes;  // (N, K): logits of classes; undefined with projection
};

// Children "features" and "linear", and "embedding" (projection) or "classifier" (acgan). All but
// the classifier have spectral norm; its logits must be free to grow as sure as images allow.
class ConditionalDiscriminator final : public ConditionalModule {
 public:
  explicit ConditionalDiscriminator(const ConditionalGanSpec& spec);

  // x (N, image, image, 3), labels (N) in [0, K); acgan does not look at the labels.
  ConditionalScores scores(const Var& x, const Tensor& labels);
  // The logits of that alone: what D(x, labels) is.
  Var compute(const Var& x, const Tensor& labels) override;

 private:
  ConditionalScores judge(const Var& x, const Tensor& labels);

  std::shared_ptr<nn::Sequential> features_;
  std::shared_ptr<nn::Linear> linear_, classifier_;
  std::shared_ptr<SpectralEmbedding> embedding_;
};

struct ConditionalGan {
  ConditionalGanSpec spec;
  ConditionalGenerator generator;
  ConditionalDiscriminator discriminator;
};

// Fresh weights from the Context's generator. Throws for numbers out of range.
ConditionalGan make_conditional_gan(const ConditionalGanSpec& spec);

}  // namespace imago::models
