#include "models/seed001.h"

#include "nn/init.h"
#include "nn/layers.h"

namespace imago::models {
namespace {

constexpr double slope = 0.3;
constexpr double dropout = 0.3;

nn::BatchNorm2d norm(int channels) {
  return nn::BatchNorm2d({.channels = channels, .eps = 1e-3, .momentum = 0.01, .unbiased = false});
}

// k4 s2 'same' is symmetric: one pixel on each side.
nn::ConvTranspose2d up(int in, int out) {
  return nn::ConvTranspose2d(
      {.in = in, .out = out, .kernel = 4, .stride = 2, .padding = Padding::same(1), .bias = false});
}

nn::Conv2d down(int in, int out) {
  return nn::Conv2d({.in = in, .out = out, .kernel = 4, .stride = 2, .padding = Padding::same(1)});
}

}  // namespace

nn::Sequential seed001_generator(int channels) {
  nn::Sequential g;
  g.add(nn::Linear({.in = 100, .out = 4 * 4 * 512, .bias = false}));
  g.add(norm(4 * 4 * 512));
  g.add(nn::LeakyReLU({.slope = slope}));
  g.add(nn::Reshape({.h = 4, .w = 4, .c = 512}));
  g.add(up(512, 256));
  g.add(norm(256));
  g.add(nn::LeakyReLU({.slope = slope}));
  g.add(up(256, 128));
  g.add(norm(128));
  g.add(nn::LeakyReLU({.slope = slope}));
  g.add(up(128, channels));
  g.add(nn::Tanh());
  nn::init_glorot_uniform(g);
  return g;
}

nn::Sequential seed001_discriminator(int channels) {
  nn::Sequential d;
  d.add(down(channels, 64));
  d.add(nn::LeakyReLU({.slope = slope}));
  d.add(nn::Dropout({.p = dropout}));
  d.add(down(64, 128));
  d.add(nn::LeakyReLU({.slope = slope}));
  d.add(nn::Dropout({.p = dropout}));
  d.add(nn::Flatten());
  d.add(nn::Linear({.in = 8 * 8 * 128, .out = 1}));
  nn::init_glorot_uniform(d);
  return d;
}

}  // namespace imago::models
