// Layers one after the other.
#pragma once

#include "nn/module.h"

namespace imago::nn {

// Layer i is the child "layers.i".
class Sequential final : public Module {
 public:
  Sequential() = default;

  // Appends a layer, which is moved in.
  template <std::derived_from<Module> M>
  Sequential& add(M layer) {
    add_child("layers." + std::to_string(size()), std::move(layer));
    return *this;
  }

  std::size_t size() const { return children().size(); }
  Module& operator[](std::size_t i) const {
    check(i < size(), "sequential", "there is no layer ", i, " among ", size());
    return *children()[i].second;
  }

  // The result of the last layer; x itself when there are none.
  Var forward(const Var& x) override {
    Var y = x;
    for (const auto& [name, layer] : children()) y = (*layer)(y);
    return y;
  }
};

}  // namespace imago::nn
