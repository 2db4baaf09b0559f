#pragma once

#include "autograd/ops/add.h"
#include "nn/module.h"

namespace imago::nn {

// body(x) + x, or body(x) + shortcut(x) (He et al. 2015, arXiv 1512.03385, eq. 1 and 2): what the
// body learns is the change, and gradients have a way past it. Where the body changes the shape the
// shortcut changes it alike, such as a 1x1 convolution of the same stride:
//
//   Residual(std::move(body), Conv2d({.in = 32, .out = 64, .kernel = 1, .stride = 2}))
//
// Children are "body" and "shortcut". A Residual given to the one-argument constructor is moved,
// not wrapped; wrap it in a Sequential first.
class Residual final : public Module {
 public:
  template <std::derived_from<Module> Body>
  explicit Residual(Body body) : body_(add_child("body", std::move(body))) {}

  template <std::derived_from<Module> Body, std::derived_from<Module> Shortcut>
  Residual(Body body, Shortcut shortcut)
      : body_(add_child("body", std::move(body))),
        shortcut_(add_child("shortcut", std::move(shortcut))) {}

  Var forward(const Var& x) override {
    const Var y = (*body_)(x), z = shortcut_ ? (*shortcut_)(x) : x;
    const bool fits = y.shape() == z.shape();
    if (shortcut_) {
      check(fits, "Residual", "the body makes ", y.shape(), " of ", x.shape(),
            " but the shortcut makes ", z.shape(), "; their strides and channels must agree");
    }
    check(
        fits, "Residual", "the body makes ", y.shape(), " of ", x.shape(),
        ", to which that cannot be added; give a shortcut that changes the shape alike, such as a "
        "1x1 Conv2d of the same stride");
    return ops::add(y, z);
  }

  Module& body() const { return *body_; }

 private:
  std::shared_ptr<Module> body_, shortcut_;
};

}  // namespace imago::nn
