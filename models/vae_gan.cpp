#include "models/vae_gan.h"

#include <bit>
#include <cmath>

#include "nn/init.h"
#include "nn/layers.h"
#include "tensor/layer_scope.h"

namespace imago::models {
namespace {

constexpr int smallest_map = 4;
constexpr int kernel = 4, stride = 2, padding = 1;
constexpr double slope = 0.2;
constexpr int channels = 3;

int halvings(const VaeOptions& vae) {
  return std::countr_zero(static_cast<unsigned>(vae.image / smallest_map));
}

// Channels after halving l = 1, 2, ...
int width(const VaeOptions& vae, int l) {
  return vae.base << (l - 1);
}

// Halving l.
void add_halving(nn::Sequential& to, const VaeOptions& vae, int l) {
  const bool first = l == 1;
  to.add(nn::Conv2d({.in = first ? channels : width(vae, l - 1),
                     .out = width(vae, l),
                     .kernel = kernel,
                     .stride = stride,
                     .padding = Padding::same(padding),
                     .bias = first}));  // the norm of the others has one
  if (!first) to.add(nn::GroupNorm({.groups = 1, .channels = width(vae, l)}));
  to.add(nn::LeakyReLU({.slope = slope}));
}

nn::Sequential make_features(const VaeOptions& vae, int layer) {
  nn::Sequential features;
  for (int l = 1; l <= layer; ++l) add_halving(features, vae, l);
  return features;
}

nn::Sequential make_head(const VaeOptions& vae, int layer) {
  nn::Sequential head;
  for (int l = layer + 1; l <= halvings(vae); ++l) add_halving(head, vae, l);
  head.add(nn::Conv2d({.in = width(vae, halvings(vae)), .out = 1, .kernel = smallest_map}));
  head.add(nn::Flatten());
  return head;
}

}  // namespace

void check_vae_gan_options(const VaeOptions& vae, const VaeGanOptions& o) {
  check_vae_options(vae);
  check(vae.likelihood != Likelihood::bernoulli, "vae-gan",
        "features of a discriminator are no numbers from 0 to 1, so that the bernoulli likelihood "
        "says nothing of them; take gaussian or gaussian-learned");
  check(std::isfinite(o.weight) && o.weight > 0, "vae-gan",
        "the weight of the GAN's loss is above 0, not ", o.weight,
        "; without one it is a plain VAE, of VaeTrainer");
  check(o.feature_layer >= 0 && o.feature_layer <= halvings(vae), "vae-gan", "at image size ",
        vae.image, " the layers with features are 1 to ", halvings(vae), ", not ", o.feature_layer,
        "; 0 is the last");
}

int feature_layer_of(const VaeOptions& vae, const VaeGanOptions& o) {
  check_vae_gan_options(vae, o);
  return o.feature_layer > 0 ? o.feature_layer : halvings(vae);
}

VaeGanDiscriminator::VaeGanDiscriminator(const VaeOptions& vae, const VaeGanOptions& options)
    : image_(vae.image), feature_layer_(feature_layer_of(vae, options)) {
  features_ = add_child("features", make_features(vae, feature_layer_));
  head_ = add_child("head", make_head(vae, feature_layer_));
  nn::init_weights(*this, [](const Var& weight) { nn::kaiming_normal(weight, {.slope = slope}); });
}

// Of another size the head would give another number of scores.
void VaeGanDiscriminator::require_images(const Var& images) const {
  check(images.dim() == 4 && images.size(1) == image_ && images.size(2) == image_, "vae-gan",
        "D expects images (N, ", image_, ", ", image_, ", 3), not ", images.shape());
}

Var VaeGanDiscriminator::features(const Var& images) {
  const LayerScope scope(name());
  require_images(images);
  return (*features_)(images);
}

Var VaeGanDiscriminator::logits(const Var& features) {
  const LayerScope scope(name());
  return (*head_)(features);
}

Var VaeGanDiscriminator::forward(const Var& images) {
  require_images(images);
  return (*head_)((*features_)(images));
}

}  // namespace imago::models
