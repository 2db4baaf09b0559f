#include "models/vae.h"

#include <bit>
#include <cmath>

#include "autograd/ops/add_scalar.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sigmoid.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "nn/vae_loss.h"

namespace imago::models {
namespace {

constexpr int smallest_map = 4;  // encoder and decoder meet the Linear layers at 4x4
constexpr int kernel = 4, stride = 2, padding = 1;
constexpr double slope = 0.2;
constexpr int channels = 3;

int halvings(const VaeOptions& o) {
  return std::countr_zero(static_cast<unsigned>(o.image / smallest_map));
}

int widest(const VaeOptions& o) {
  return o.base << (halvings(o) - 1);
}

int flat(const VaeOptions& o) {
  return smallest_map * smallest_map * widest(o);
}

nn::ConvBlock block(int in, int out, bool transposed) {
  return nn::ConvBlock({.in = in,
                        .out = out,
                        .kernel = kernel,
                        .stride = stride,
                        .padding = Padding::same(padding),
                        .transposed = transposed,
                        .bias = true,
                        .batch_norm = false,
                        .activation = nn::Activation::leaky_relu,
                        .slope = slope});
}

nn::Sequential make_encoder(const VaeOptions& o) {
  nn::Sequential e;
  int in = channels;
  for (int i = 0; i < halvings(o); ++i) {
    e.add(block(in, o.base << i, false));
    in = o.base << i;
  }
  e.add(nn::Flatten());
  return e;
}

nn::Linear head(const VaeOptions& o) {
  return nn::Linear({.in = flat(o), .out = o.latent});
}

nn::Sequential make_decoder(const VaeOptions& o) {
  nn::Sequential d;
  int width = widest(o);
  d.add(nn::Linear({.in = o.latent, .out = flat(o)}));
  d.add(nn::LeakyReLU({.slope = slope}));
  d.add(nn::Reshape({.h = smallest_map, .w = smallest_map, .c = width}));
  for (int i = 1; i < halvings(o); ++i, width /= 2) d.add(block(width, width / 2, true));
  d.add(nn::ConvTranspose2d({.in = width,
                             .out = channels,
                             .kernel = kernel,
                             .stride = stride,
                             .padding = Padding::same(padding)}));
  if (o.likelihood != Likelihood::bernoulli) d.add(nn::Tanh());
  return d;
}

constexpr double gain_of_hidden = 2 / (1 + slope * slope);  // of a variance, before LeakyReLU

}  // namespace

const char* name_of(Likelihood likelihood) {
  switch (likelihood) {
    case Likelihood::gaussian:
      return "gaussian";
    case Likelihood::gaussian_learned:
      return "gaussian-learned";
    case Likelihood::bernoulli:
      return "bernoulli";
  }
  fail("likelihood", "there is no likelihood ", static_cast<int>(likelihood));
}

const std::vector<std::string>& likelihood_names() {
  static const std::vector<std::string> names = {name_of(Likelihood::gaussian),
                                                 name_of(Likelihood::gaussian_learned),
                                                 name_of(Likelihood::bernoulli)};
  return names;
}

Likelihood likelihood_named(const std::string& name) {
  for (const Likelihood l :
       {Likelihood::gaussian, Likelihood::gaussian_learned, Likelihood::bernoulli}) {
    if (name == name_of(l)) return l;
  }
  fail("likelihood", "there is no likelihood '", name,
       "'; there are gaussian, gaussian-learned and bernoulli");
}

void check_vae_options(const VaeOptions& o) {
  check(o.image >= 16 && o.image <= 128 && std::has_single_bit(static_cast<unsigned>(o.image)),
        "vae", "image size must be 16, 32, 64 or 128, not ", o.image);
  check(o.base > 0 && o.base <= 1024, "vae", "base must be from 1 to 1024, not ", o.base);
  check(o.latent > 0 && o.latent <= 65536, "vae", "latent must be from 1 to 65536, not ", o.latent);
  check(std::isfinite(o.sigma) && o.sigma > 0, "vae", "sigma must be positive, not ", o.sigma);
}

Vae::Vae(const VaeOptions& options) : options_(options) {
  check_vae_options(options);
  encoder_ = add_child("encoder", make_encoder(options));
  mu_ = add_child("mu", head(options));
  log_variance_ = add_child("log_variance", head(options));
  decoder_ = add_child("decoder", make_decoder(options));
  if (options.likelihood != Likelihood::bernoulli) {
    const Tensor log_sigma = Tensor::scalar(std::log(options.sigma));
    log_sigma_ = options.likelihood == Likelihood::gaussian_learned
                     ? add_parameter("pixels.log_sigma", log_sigma)
                     : add_buffer("pixels.log_sigma", log_sigma);
  }
  init_weights();
}

// Every weight is normal with the variance gain / (products that add up to one output). In a
// transposed convolution with stride 2, kernel^2 / stride^2 taps of each input channel meet a
// pixel.
void Vae::init_weights() {
  const auto fill = [](const Var& weight, const Var& bias, double gain, double terms) {
    nn::fill_normal(weight, 0, std::sqrt(gain / terms));
    Tensor zero = bias.tensor();
    zero.set_zero();
  };
  const auto linear = [&](const nn::Linear& l, double gain) {
    fill(l.weight(), l.bias(), gain, l.options().in);
  };
  visit([&](const std::string&, nn::Module& m) {
    if (const auto* conv = dynamic_cast<nn::Conv2d*>(&m)) {
      fill(conv->weight(), conv->bias(), gain_of_hidden, kernel * kernel * conv->options().in);
    } else if (const auto* up = dynamic_cast<nn::ConvTranspose2d*>(&m)) {
      const double terms = (kernel / stride) * (kernel / stride) * up->options().in;
      fill(up->weight(), up->bias(), up->options().out == channels ? 1 : gain_of_hidden, terms);
    }
  });
  linear(dynamic_cast<const nn::Linear&>((*decoder_)[0]), gain_of_hidden);
  linear(*mu_, 1);
  linear(*log_variance_, 0.01);
}

Posterior Vae::encode(const Var& images) {
  const std::int64_t size = options_.image;
  check(images.dim() == 4 && images.size(1) == size && images.size(2) == size &&
            images.size(3) == channels,
        "vae", "expects images (N, ", size, ", ", size, ", 3) but the input is ", images.shape(),
        images.dim() == 3 ? "; is the batch dimension missing?" : "");
  const Var features = (*encoder_)(images);
  return {(*mu_)(features), (*log_variance_)(features)};
}

Var Vae::decode(const Var& z) {
  check(z.dim() == 2 && z.size(1) == options_.latent, "vae", "expects z (N, ", options_.latent,
        ") but it is ", z.shape());
  return (*decoder_)(z);
}

Var Vae::log_likelihood(const Var& images, const Var& decoded) const {
  if (options_.likelihood == Likelihood::bernoulli) {
    return loss::bernoulli_log_likelihood(loss::to_unit_range(images), decoded);
  }
  return loss::gaussian_log_likelihood(images, decoded, log_sigma_);
}

Var Vae::expected(const Var& decoded) const {
  if (options_.likelihood != Likelihood::bernoulli) return decoded;
  return ops::add_scalar(ops::scale(ops::sigmoid(decoded), 2), -1);
}

Tensor Vae::generate(const Tensor& z) {
  const NoGrad no_grad;
  const nn::Evaluating mode(*this);
  return expected(decode(z)).tensor();
}

Var Vae::forward(const Var& images) {
  return expected(decode(encode(images).mu));
}

}  // namespace imago::models
