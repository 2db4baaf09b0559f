#include "models/resnet_gan.h"

#include <bit>
#include <cmath>

#include "autograd/ops/sum_to.h"
#include "nn/init.h"
#include "nn/layers.h"

namespace imago::models {
namespace {

constexpr int smallest_map = 4;  // both networks meet the fully connected side at 4x4

void set_zero(const Var& bias) {
  Tensor memory = bias.tensor();
  memory.set_zero();
}

nn::Conv2d spectral(int in, int out, int kernel) {
  nn::Conv2d conv({.in = in,
                   .out = out,
                   .kernel = kernel,
                   .padding = Padding::same(kernel / 2),
                   .spectral_norm = true});
  set_zero(conv.bias());
  return conv;
}

nn::Conv2d plain(int in, int out, int kernel, bool bias = false) {
  return nn::Conv2d(
      {.in = in, .out = out, .kernel = kernel, .padding = Padding::same(kernel / 2), .bias = bias});
}

void init_xavier(nn::Module& module, double gain) {
  nn::init_weights(module, [gain](const Var& weight) { nn::xavier_uniform(weight, gain); });
}

}  // namespace

int resnet_doublings(const char* op, const ResnetGanOptions& o) {
  check(o.image >= 8 && o.image <= 128 && std::has_single_bit(static_cast<unsigned>(o.image)), op,
        "image size must be 8, 16, 32, 64 or 128, not ", o.image);
  check(o.base > 0 && o.z > 0 && o.channels > 0, op, "base, z and channels must be positive, not ",
        o.base, ", ", o.z, " and ", o.channels);
  return std::countr_zero(static_cast<unsigned>(o.image / smallest_map));
}

int resnet_width(const ResnetGanOptions& o) {
  return o.base << (resnet_doublings("resnet_width", o) - 1);
}

nn::Residual resnet_up_block(int in, int out) {
  nn::Sequential body, shortcut;
  body.add(nn::BatchNorm2d({.channels = in}));
  body.add(nn::ReLU());
  body.add(nn::Upsample({.factor = 2}));
  body.add(nn::ConvBlock({.in = in,
                          .out = out,
                          .kernel = 3,
                          .padding = Padding::same(1),
                          .activation = nn::Activation::relu}));
  body.add(plain(out, out, 3));
  init_xavier(body, std::sqrt(2.0));
  // A convolution of single pixels has the same values before the doubling, at a quarter of the
  // work.
  shortcut.add(plain(in, out, 1));
  shortcut.add(nn::Upsample({.factor = 2}));
  init_xavier(shortcut, 1);
  return nn::Residual(std::move(body), std::move(shortcut));
}

nn::Residual resnet_down_block(const ResnetDownOptions& o) {
  nn::Sequential body, shortcut;
  const int hidden = o.first ? o.out : o.in;
  if (!o.first) body.add(nn::ReLU());
  body.add(spectral(o.in, hidden, 3));
  body.add(nn::ReLU());
  body.add(spectral(hidden, o.out, 3));
  if (o.halve) {
    body.add(nn::AvgPool2d());
    shortcut.add(nn::AvgPool2d());  // first: the convolution then has a quarter of the work
  } else if (o.in == o.out) {
    return nn::Residual(std::move(body));
  }
  shortcut.add(spectral(o.in, o.out, 1));
  return nn::Residual(std::move(body), std::move(shortcut));
}

Var SumPool2d::forward(const Var& x) {
  check(x.dim() == 4, "SumPool2d", "expects images (N, H, W, C) but the input is ", x.shape());
  return ops::sum(x, {1, 2});
}

nn::Sequential resnet_generator(const ResnetGanOptions& o) {
  const int ups = resnet_doublings("resnet_generator", o);
  int width = resnet_width(o);
  nn::Sequential g;
  nn::Linear first({.in = o.z, .out = smallest_map * smallest_map * width});
  init_xavier(first, 1);
  g.add(std::move(first));
  g.add(nn::Reshape({.h = smallest_map, .w = smallest_map, .c = width}));
  for (int i = 0; i < ups; ++i) {
    const int out = o.base << (ups - 1 - i);
    g.add(resnet_up_block(width, out));
    width = out;
  }
  g.add(nn::BatchNorm2d({.channels = width}));
  g.add(nn::ReLU());
  nn::Conv2d last = plain(width, o.channels, 3, true);
  init_xavier(last, 1);
  g.add(std::move(last));
  g.add(nn::Tanh());
  return g;
}

nn::Sequential resnet_features(const ResnetGanOptions& o) {
  const int downs = resnet_doublings("resnet_features", o);
  nn::Sequential d;
  int width = o.channels;
  for (int i = 0; i < downs; ++i) {
    const int out = o.base << i;
    d.add(resnet_down_block({.in = width, .out = out, .first = i == 0}));
    width = out;
  }
  d.add(resnet_down_block({.in = width, .out = width, .halve = false}));
  d.add(nn::ReLU());
  d.add(SumPool2d());
  return d;
}

nn::Sequential resnet_discriminator(const ResnetGanOptions& o) {
  nn::Sequential d = resnet_features(o);
  nn::Linear last({.in = resnet_width(o), .out = 1, .spectral_norm = true});
  set_zero(last.bias());
  d.add(std::move(last));
  return d;
}

}  // namespace imago::models
