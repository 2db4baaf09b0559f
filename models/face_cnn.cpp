#include "models/face_cnn.h"

#include <algorithm>

#include "nn/init.h"
#include "nn/layers.h"

namespace imago::models {
namespace {

constexpr double prelu_start = 0.25;  // slopes of fresh PReLUs
constexpr int blocks = 4;             // of vgg and residual: channels base, 2, 4, 8 base

nn::ConvBlock conv_norm(int in, int out, int kernel, int stride, nn::Activation activation) {
  return nn::ConvBlock({.in = in,
                        .out = out,
                        .kernel = kernel,
                        .stride = stride,
                        .padding = Padding::same(kernel / 2),
                        .activation = activation});
}

nn::Sequential seed003(const FaceCnnOptions& o) {
  nn::Sequential net;
  int in = o.channels, side = o.image;
  for (const int out : {32, 64, 128}) {
    net.add(nn::Conv2d({.in = in, .out = out, .kernel = 3})).add(nn::ReLU()).add(nn::MaxPool2d());
    in = out;
    side = (side - 2) / 2;  // a pooling leaves out the last odd row and column
  }
  net.add(nn::Flatten());
  net.add(nn::Linear({.in = side * side * in, .out = 128})).add(nn::ReLU());
  return net;
}

nn::Sequential vgg(const FaceCnnOptions& o) {
  nn::Sequential net;
  int in = o.channels, side = o.image;
  for (int i = 0; i < blocks; ++i) {
    const int out = o.base << i;
    net.add(conv_norm(in, out, 3, 1, nn::Activation::relu));
    net.add(conv_norm(out, out, 3, 1, nn::Activation::relu));
    net.add(nn::MaxPool2d());
    in = out;
    side /= 2;
  }
  net.add(nn::Flatten()).add(nn::Dropout({.p = o.dropout}));
  net.add(nn::Linear({.in = side * side * in, .out = o.dimensions}));
  return net;
}

// Images (N, H, W, in) -> (N, H / stride, W / stride, out).
nn::Residual unit(int in, int out, int stride) {
  nn::Sequential body;
  body.add(nn::BatchNorm2d({.channels = in}));
  body.add(conv_norm(in, out, 3, stride, nn::Activation::none));
  body.add(nn::PReLU({.channels = out, .slope = prelu_start}));
  body.add(conv_norm(out, out, 3, 1, nn::Activation::none));
  if (in == out && stride == 1) return nn::Residual(std::move(body));
  return nn::Residual(std::move(body), conv_norm(in, out, 1, stride, nn::Activation::none));
}

nn::Sequential residual(const FaceCnnOptions& o) {
  nn::Sequential net;
  net.add(conv_norm(o.channels, o.base, 3, 2, nn::Activation::none));
  net.add(nn::PReLU({.channels = o.base, .slope = prelu_start}));
  int in = o.base;
  for (int i = 0; i < blocks; ++i) {
    net.add(unit(in, o.base << i, i == 0 ? 1 : 2));
    in = o.base << i;
  }
  const int side = o.image >> blocks;
  net.add(nn::BatchNorm2d({.channels = in}));
  net.add(nn::Dropout({.p = o.dropout})).add(nn::Flatten());
  // The batch norm that follows would take a bias away again.
  net.add(nn::Linear({.in = side * side * in, .out = o.dimensions, .bias = false}));
  net.add(nn::BatchNorm2d({.channels = o.dimensions}));
  return net;
}

}  // namespace

const std::vector<std::string>& face_cnn_networks() {
  static const std::vector<std::string> names = {"seed003", "vgg", "residual"};
  return names;
}

void check_face_cnn(const FaceCnnOptions& o) {
  const auto& names = face_cnn_networks();
  check(std::find(names.begin(), names.end(), o.network) != names.end(), "face_cnn",
        "there is no network '", o.network, "'; there are seed003, vgg and residual");
  check(o.channels == 1 || o.channels == 3, "face_cnn", "images have 1 or 3 channels, not ",
        o.channels);
  if (o.network == "seed003") {
    check(o.image >= 22 && o.image <= 224, "face_cnn",
          "seed003 takes images of 22 to 224 pixels, not ", o.image);
    return;
  }
  check(o.image >= 32 && o.image <= 224 && o.image % 16 == 0, "face_cnn", o.network,
        " takes images of a multiple of 16 pixels, 32 to 224, not ", o.image);
  check(o.base > 0 && o.base <= 1024, "face_cnn", "base must be from 1 to 1024, not ", o.base);
  check(o.dimensions > 0 && o.dimensions <= 65536, "face_cnn",
        "dimensions must be from 1 to 65536, not ", o.dimensions);
  check(o.dropout >= 0 && o.dropout < 1, "face_cnn", "dropout must be in [0, 1), not ", o.dropout);
}

nn::Sequential face_cnn(const FaceCnnOptions& o) {
  check_face_cnn(o);
  if (o.network == "seed003") {
    nn::Sequential net = seed003(o);
    nn::init_weights(net, [](const Var& w) { nn::kaiming_normal(w); });
    return net;
  }
  const bool is_vgg = o.network == "vgg";
  nn::Sequential net = is_vgg ? vgg(o) : residual(o);
  nn::init_weights(net, [is_vgg](const Var& w) {
    const bool linear = w.dim() == 2;  // the last layer, which no activation follows
    nn::kaiming_normal(w, {.slope = linear ? 1 : is_vgg ? 0 : prelu_start});
  });
  return net;
}

}  // namespace imago::models
