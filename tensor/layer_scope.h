// Which layer runs on this thread. Errors thrown inside name it, and observers are told.
#pragma once

#include <string>

namespace imago {

// While one lives, this thread is inside the layer `name`, which must outlive it. Costs no
// allocation: modules open one in each call.
class LayerScope {
 public:
  // With `absolute`, `name` is a whole path and what lies around it does not count: that is how the
  // engine goes back to the layer of an operation's forward.
  explicit LayerScope(const std::string& name, bool absolute = false);
  ~LayerScope();
  LayerScope(const LayerScope&) = delete;
  LayerScope& operator=(const LayerScope&) = delete;

  // The names of the layers that this thread is in, outermost first, joined by dots; unnamed ones
  // are left out. "" outside of all.
  static std::string path();

 private:
  const std::string& name_;
  bool absolute_;
  bool told_;
  LayerScope* outer_;
};

}  // namespace imago
