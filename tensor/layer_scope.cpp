#include "tensor/layer_scope.h"

#include "tensor/observer.h"

namespace imago {
namespace {

constinit thread_local LayerScope* innermost = nullptr;

}  // namespace

LayerScope::LayerScope(const std::string& name, bool absolute)
    : name_(name), absolute_(absolute), told_(Observer::current() && !absolute), outer_(innermost) {
  innermost = this;
  if (told_) Observer::tell([&](Observer& o) { o.layer_begins(name_); });
}

LayerScope::~LayerScope() {
  if (told_) Observer::tell([](Observer& o) { o.layer_ends(); });
  innermost = outer_;
}

std::string LayerScope::path() {
  std::string path;
  for (const LayerScope* scope = innermost; scope; scope = scope->outer_) {
    if (!scope->name_.empty()) {
      path = path.empty() ? scope->name_ : scope->name_ + "." + path;
    }
    if (scope->absolute_) break;
  }
  return path;
}

}  // namespace imago
