// An autoencoder without mean, variance, sampling and KL divergence, whose output is 16 times as
// large as its input; and the smallest network that is a VAE (Kingma & Welling 2014, arXiv
// 1312.6114) of 64x64 images.
#include <cmath>
#include <cstdio>

#include "apps/museum/exhibits.h"
#include "apps/museum/support.h"
#include "autograd/ops/add.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/exp.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "autograd/random.h"
#include "nn/layers.h"
#include "nn/loss.h"

namespace imago::museum {
namespace {

constexpr int side = 64;

nn::Conv2d conv3(int in, int out) {
  return nn::Conv2d({.in = in, .out = out, .kernel = 3, .padding = Padding::same(1)});
}

// k3 s2 'same' of a transposed convolution: one row and column less at the bottom and right alone,
// so that the sides double.
nn::ConvTranspose2d up3(int in, int out) {
  return nn::ConvTranspose2d({.in = in,
                              .out = out,
                              .kernel = 3,
                              .stride = 2,
                              .padding = {.top = 0, .bottom = 1, .left = 0, .right = 1}});
}

// Weights and biases of a dense layer; the widest here would take 256 MiB to make.
std::int64_t dense(std::int64_t in, std::int64_t out) {
  return in * out + out;
}

void wrong(VaeShapes& f, const Var& image) {
  nn::Sequential encoder;
  encoder.add(conv3(3, 32)).add(nn::ReLU());
  encoder.add(conv3(32, 64)).add(nn::ReLU());
  encoder.add(conv3(64, 128)).add(nn::ReLU());
  nn::Sequential decoder;  // after the dense layers, which give images (N, 64, 64, 3)
  decoder.add(up3(3, 64)).add(up3(64, 32)).add(conv3(32, 3));
  f.wrong_width = encoder(image).numel();
  f.wrong_dense = dense(f.wrong_width, 128);
  f.wrong_parameters = encoder.num_parameters() + f.wrong_dense + dense(128, side * side * 3) +
                       decoder.num_parameters();
  const Var logits = decoder(Tensor::zeros({1, side, side, 3}));
  f.wrong_output = logits.shape();
  f.error = message_of([&] { loss::bce_with_logits(logits, image); });
}

nn::Conv2d down(int in, int out) {
  return nn::Conv2d({.in = in, .out = out, .kernel = 4, .stride = 2, .padding = Padding::same(1)});
}

nn::ConvTranspose2d up(int in, int out) {
  return nn::ConvTranspose2d(
      {.in = in, .out = out, .kernel = 4, .stride = 2, .padding = Padding::same(1)});
}

void right(VaeShapes& f, const Var& image) {
  constexpr int code = 32, width = 16 * 16 * 32;
  nn::Sequential encoder, decoder;
  encoder.add(down(3, 16)).add(nn::ReLU()).add(down(16, 32)).add(nn::ReLU()).add(nn::Flatten());
  nn::Linear mean_of({.in = width, .out = code}), log_variance_of({.in = width, .out = code});
  decoder.add(nn::Linear({.in = code, .out = width})).add(nn::Reshape({.h = 16, .w = 16, .c = 32}));
  decoder.add(nn::ReLU()).add(up(32, 16)).add(nn::ReLU()).add(up(16, 3));
  f.right_parameters = encoder.num_parameters() + mean_of.num_parameters() +
                       log_variance_of.num_parameters() + decoder.num_parameters();

  const Var features = encoder(image);                            // (1, width)
  const Var mean = mean_of(features);                             // (1, code)
  const Var log_variance = log_variance_of(features);             // (1, code)
  const Var deviation = ops::exp(ops::scale(log_variance, 0.5));  // (1, code)
  const auto sample = [&] {                                       // (1, code)
    return ops::add(mean, ops::mul(deviation, randn({1, code})));
  };
  const Var z = sample();
  const Var logits = decoder(z);  // (1, 64, 64, 3)
  f.right_code = z.shape();
  f.right_output = logits.shape();
  // Summed over the pixels, as the KL divergence is over the code: a mean would make one of them
  // 12,288 times lighter against the other.
  f.right_reconstruction =
      loss::bce_with_logits(logits, image).item() * static_cast<double>(image.numel());
  // KL(N(m, s^2) || N(0, 1)) = (m^2 + s^2 - 1 - log s^2) / 2 for each number of the code.
  const Var terms = ops::sub(ops::add(ops::square(mean), ops::square(deviation)),
                             ops::add_scalar(log_variance, 1));
  f.right_kl = ops::sum(ops::scale(terms, 0.5)).item();
  // Two codes of one image differ by N(0, 2 s^2).
  f.right_spread = std::sqrt(ops::mean(ops::square(ops::sub(sample(), z))).item() / 2);
}

}  // namespace

VaeShapes vae_shapes() {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  manual_seed(1);
  const NoGrad no_grad;
  VaeShapes f;
  const Var image = rand({1, side, side, 3});
  f.image = image.shape();
  wrong(f, image);
  right(f, image);
  return f;
}

void show_vae_shapes() {
  const VaeShapes f = vae_shapes();
  const auto text = [](const Shape& shape) { return shape.to_string(); };
  std::printf(
      "Wrong: three convolutions that keep 64x64, flatten, dense 128, dense 64x64x3, and from "
      "there\n"
      "       two transposed convolutions of stride 2. No mean, no variance, no sampling, no KL.\n"
      "Right: strided convolutions; a mean and a log variance; z = mean + deviation * noise;\n"
      "       a decoder back to the size of the image; loss = reconstruction + KL.\n"
      "What differs:\n"
      "                                    wrong                 right\n"
      "    parameters                      %-21lld %lld\n"
      "    of an image %-16s    %-21s %s\n"
      "    of these, one dense layer from %lld values has %lld.\n",
      static_cast<long long>(f.wrong_parameters), static_cast<long long>(f.right_parameters),
      text(f.image).c_str(), text(f.wrong_output).c_str(), text(f.right_output).c_str(),
      static_cast<long long>(f.wrong_width), static_cast<long long>(f.wrong_dense));
  std::printf(
      "  The wrong loss cannot be computed:\n"
      "    %s\n"
      "  The right one, untrained, for one image, in nats: reconstruction %.1f, KL %.2f.\n"
      "  Two codes %s of one image are apart by noise of deviation %.2f: the decoder learns to\n"
      "  make faces of whole neighbourhoods, so that noise alone becomes a face. The wrong "
      "network\n"
      "  gives one code for one image, and what it makes of other codes nobody has asked for.\n",
      f.error.c_str(), f.right_reconstruction, f.right_kl, text(f.right_code).c_str(),
      f.right_spread);
}

}  // namespace imago::museum
