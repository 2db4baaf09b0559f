// Principal components (Pearson 1901; faces: Turk & Pentland 1991) and local binary patterns (Ojala
// et al. 1996) are not deep learning. PCA is the best linear map through few numbers: one layer to
// the code and one back, with nothing in between (Baldi & Hornik 1989), solved without training.
// LBP is a fixed function with nothing to learn. Both are good baselines to compare networks with.
#include <cmath>
#include <cstdio>
#include <span>

#include "apps/museum/exhibits.h"
#include "autograd/random.h"
#include "nn/layers.h"
#include "nn/loss.h"
#include "nn/optim.h"

namespace imago::museum {
namespace {

constexpr int points = 200;

// Moves points (points, 2), f64, so that their mean is 0.
Tensor centred(std::vector<double> xy) {
  for (std::size_t axis = 0; axis < 2; ++axis) {
    double mean = 0;
    for (std::size_t i = axis; i < xy.size(); i += 2) mean += xy[i] / points;
    for (std::size_t i = axis; i < xy.size(); i += 2) xy[i] -= mean;
  }
  return Tensor::from(std::span<const double>(xy), {points, 2});
}

// A Gaussian of deviations 2 and 0.5, its long axis at 30 degrees.
Tensor cloud() {
  const Tensor noise = randn({points, 2}, Device::cpu(), DType::f64).tensor();
  const double cosine = std::sqrt(3.0) / 2, sine = 0.5;
  std::vector<double> xy;
  for (int i = 0; i < points; ++i) {
    const double a = 2 * noise.data<double>()[2 * i], b = 0.5 * noise.data<double>()[2 * i + 1];
    xy.push_back(a * cosine - b * sine);
    xy.push_back(a * sine + b * cosine);
  }
  return centred(xy);
}

Tensor parabola() {
  std::vector<double> xy;
  for (int i = 0; i < points; ++i) {
    const double x = 2.0 * i / (points - 1) - 1;
    xy.push_back(x);
    xy.push_back(x * x);
  }
  return centred(xy);
}

struct Axis {
  double x = 0, y = 0;  // of length 1
  double error = 0;     // mean squared error per coordinate of what is left of the points on it
};

// The eigenvector of the largest eigenvalue, by power iteration.
Axis main_axis(const Tensor& xy) {
  const double* at = xy.data<double>();
  double xx = 0, x_y = 0, yy = 0;  // the covariance matrix
  for (int i = 0; i < points; ++i) {
    xx += at[2 * i] * at[2 * i] / points;
    x_y += at[2 * i] * at[2 * i + 1] / points;
    yy += at[2 * i + 1] * at[2 * i + 1] / points;
  }
  Axis axis{.x = 0.8, .y = 0.6};
  double largest = 0;
  for (int i = 0; i < 200; ++i) {
    const double x = xx * axis.x + x_y * axis.y, y = x_y * axis.x + yy * axis.y;
    largest = std::hypot(x, y);
    axis.x = x / largest;
    axis.y = y / largest;
  }
  axis.error = (xx + yy - largest) / 2;  // the other eigenvalue, over two coordinates
  return axis;
}

// Trains net to give its input back and returns the error that is left.
double train(nn::Sequential& net, const Tensor& xy, optim::Optimizer& opt, int steps) {
  for (int i = 0; i < steps; ++i) {
    opt.zero_grad();
    loss::mse(net(xy), xy).backward();
    opt.step();
  }
  return loss::mse(net(xy), xy).item();
}

// Each neighbour that is not darker than the middle sets a bit.
int local_binary_pattern(const std::array<int, 9>& patch) {
  constexpr std::array<std::size_t, 8> round = {0, 1, 2, 5, 8, 7, 6, 3};
  int code = 0;
  for (const std::size_t i : round) code = 2 * code + (patch[i] >= patch[4] ? 1 : 0);
  return code;
}

}  // namespace

Pca pca() {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  manual_seed(1);
  Pca f;
  const Tensor xy = cloud();
  const Axis axis = main_axis(xy);
  f.axis_error = axis.error;
  {
    nn::Sequential net;
    net.add(nn::Linear({.in = 2, .out = 1, .bias = false}));
    net.add(nn::Linear({.in = 1, .out = 2, .bias = false}));
    net.to(DType::f64);
    optim::SGD opt(net.parameters(), {.lr = 0.05});
    f.linear_error = train(net, xy, opt, 2000);
    const double* decoder = net.parameters()[1].tensor().data<double>();  // (2, 1)
    f.cosine =
        std::abs(decoder[0] * axis.x + decoder[1] * axis.y) / std::hypot(decoder[0], decoder[1]);
  }
  const Tensor curve = parabola();
  f.curve_axis_error = main_axis(curve).error;
  {
    nn::Sequential net;
    net.add(nn::Linear({.in = 2, .out = 16})).add(nn::Tanh()).add(nn::Linear({.in = 16, .out = 1}));
    net.add(nn::Linear({.in = 1, .out = 16})).add(nn::Tanh()).add(nn::Linear({.in = 16, .out = 2}));
    net.to(DType::f64);
    optim::Adam opt(net.parameters(), {.lr = 0.01});
    f.curve_deep_error = train(net, curve, opt, 1500);
  }
  std::array<int, 9> patch = {90, 120, 60, 70, 100, 140, 30, 110, 100};
  f.lbp = local_binary_pattern(patch);
  for (int& pixel : patch) pixel += 40;
  f.lbp_brighter = local_binary_pattern(patch);
  return f;
}

void show_pca() {
  const Pca f = pca();
  std::printf(
      "Wrong: Eigenfaces, 2D-PCA, 3D-PCA and LBP as steps of deep learning\n"
      "Right: classical methods; good baselines that a deep network should be compared with\n"
      "What differs, for points in the plane that have to go through one number and back:\n"
      "                                                    mean squared error\n"
      "    a stretched cloud  PCA: the main axis           %.4f\n"
      "                       linear autoencoder, trained  %.4f\n"
      "    a parabola         PCA: the main axis           %.4f\n"
      "                       autoencoder with tanh        %.4f\n",
      f.axis_error, f.linear_error, f.curve_axis_error, f.curve_deep_error);
  std::printf(
      "  A linear autoencoder finds what PCA computes without training: the cosine between its\n"
      "  decoder and the axis is %.4f. However many linear layers, it is one matrix. A bend in\n"
      "  between is what makes a network deep: only then can a line become a curve.\n"
      "  LBP learns nothing. The code of a pixel is eight comparisons: %d here, and with the "
      "picture\n"
      "  brighter by 40 it is %d, which is why it was good for faces in changing light.\n",
      f.cosine, f.lbp, f.lbp_brighter);
}

}  // namespace imago::museum
